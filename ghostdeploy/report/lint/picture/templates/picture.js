(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const panel = document.getElementById("panel");
  let pinned = null;

  const make = (tag, text, kind) => {
    const element = document.createElement(tag);
    element.textContent = text;
    if (kind) element.className = kind;
    return element;
  };
  const fileOf = (element) => element.closest(".file");
  const detailsOf = (node) => data[fileOf(node).id][Number(node.dataset.i)];

  const fill = (node) => {
    const about = detailsOf(node);
    panel.replaceChildren(make("h4", about.op), make("p", about.name, "name"));
    const list = document.createElement("dl");
    for (const [label, text] of about.rows) list.append(make("dt", label), make("dd", text));
    panel.append(list);
    for (const [severity, rule, message, fix] of about.findings) {
      const entry = make("p", "", "f s-" + severity);
      entry.append(make("b", rule), " " + message);
      if (fix) entry.append(make("small", fix));
      panel.append(entry);
    }
  };
  const place = (node) => {
    panel.hidden = false;
    const at = node.getBoundingClientRect();
    const { offsetWidth: w, offsetHeight: h } = panel;
    const right = at.right + 12 + w < innerWidth ? at.right + 12 : Math.max(6, at.left - w - 12);
    panel.style.left = right + "px";
    panel.style.top = Math.max(6, Math.min(at.top - 8, innerHeight - h - 8)) + "px";
  };
  const edges = (node, on) => {
    const svg = node.closest("svg");
    if (!svg) return;
    const i = node.dataset.i;
    for (const path of svg.querySelectorAll(`path[data-a="${i}"],path[data-b="${i}"]`))
      path.classList.toggle("near", on);
  };
  const unpin = () => {
    if (pinned) pinned.classList.remove("pinned");
    pinned = null;
    panel.classList.remove("fixed");
    panel.hidden = true;
  };
  const pin = (node) => {
    const again = node === pinned;
    unpin();
    if (again) return;
    pinned = node;
    node.classList.add("pinned");
    fill(node);
    place(node);
    panel.classList.add("fixed");
  };
  const show = (node) => {
    for (let card = node.closest("details"); card; card = card.parentElement.closest("details"))
      card.open = true;
    // Cards get their true height only when they come near, so more than one step may be needed.
    const center = (steps) => {
      node.scrollIntoView({ block: "center", inline: "nearest" });
      if (pinned === node) place(node);
      if (steps) requestAnimationFrame(() => center(steps - 1));
    };
    center(4);
  };

  for (const kind of ["mouseover", "mouseout", "focusin", "focusout"]) {
    document.addEventListener(kind, (event) => {
      const node = event.target.closest && event.target.closest(".node");
      if (!node) return;
      const on = kind === "mouseover" || kind === "focusin";
      edges(node, on);
      if (pinned) return;
      if (on) { fill(node); place(node); } else panel.hidden = true;
    });
  }
  document.addEventListener("click", (event) => {
    const node = event.target.closest(".node");
    if (node) return pin(node);
    if (pinned && !event.target.closest("#panel")) unpin();
  });
  addEventListener("scroll", () => { if (pinned) place(pinned); else panel.hidden = true; }, { passive: true });

  const jump = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.matches(".node")) { unpin(); show(target); pin(target); }
    else if (target.matches("details")) { target.open = true; target.scrollIntoView(); }
  };
  addEventListener("hashchange", jump);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.getAttribute("href") === location.hash) jump();
  });

  for (const file of document.querySelectorAll(".file")) {
    const nodes = [...file.querySelectorAll(".node")];
    const texts = new Map();
    const text = (node) => {
      if (!texts.has(node)) {
        const about = detailsOf(node);
        const rows = about.rows.map((row) => row[1]);
        texts.set(node, [about.op, about.name, ...rows, ...about.findings.flat()].join(" ").toLowerCase());
      }
      return texts.get(node);
    };
    const input = file.querySelector("input");
    const output = file.querySelector("output");
    let hits = [], at = -1, family = "";
    const filter = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      const active = words.length > 0 || family !== "";
      hits = active
        ? nodes.filter((n) => (!family || n.dataset.f === family) && words.every((w) => text(n).includes(w)))
        : [];
      const found = new Set(hits);
      for (const node of nodes) node.classList.toggle("hit", found.has(node));
      file.classList.toggle("filtered", active);
      output.textContent = active ? String(hits.length) : "";
      at = -1;
    };
    input.addEventListener("input", filter);
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { input.value = ""; filter(); input.blur(); }
      if (event.key !== "Enter" || !hits.length) return;
      at = (at + (event.shiftKey ? hits.length - 1 : 1)) % hits.length;
      output.textContent = `${at + 1} / ${hits.length}`;
      show(hits[at]);
      if (pinned !== hits[at]) pin(hits[at]);
    });
    for (const button of file.querySelectorAll("[data-family]"))
      button.addEventListener("click", () => {
        family = family === button.dataset.family ? "" : button.dataset.family;
        for (const other of file.querySelectorAll("[data-family]"))
          other.setAttribute("aria-pressed", String(other.dataset.family === family));
        filter();
      });
    for (const button of file.querySelectorAll("[data-open]"))
      button.addEventListener("click", () => {
        for (const card of file.querySelectorAll(".card")) card.open = button.dataset.open !== "";
      });
  }
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input");
    if (event.key === "/" && !typing) {
      event.preventDefault();
      document.querySelector(".find input").focus();
    }
    if (event.key === "Escape") unpin();
    if (event.key === "Enter" && event.target.matches(".node")) pin(event.target);
  });
  jump();
})();
