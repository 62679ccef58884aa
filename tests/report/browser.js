"use strict";
const UNSEEN = new Set(["SCRIPT", "STYLE", "TITLE", "title", "TEMPLATE", "NOSCRIPT"]);
const SLACK = 1; // pixels by which boxes may touch
const LEADING = 0.16; // of a line's height above and below its letters

const intersect = (a, b) => ({
  left: Math.max(a.left, b.left),
  right: Math.min(a.right, b.right),
  top: Math.max(a.top, b.top),
  bottom: Math.min(a.bottom, b.bottom),
});
const EVERYWHERE = { left: -1e9, right: 1e9, top: -1e9, bottom: 1e9 };

// The box in which an element's scrolling or clipping ancestors show it.
const frameOf = (window, element, known) => {
  if (!element || element === element.ownerDocument.body) return EVERYWHERE;
  if (!known.has(element)) {
    const { overflowX, overflowY } = window.getComputedStyle(element);
    const outer = frameOf(window, element.parentElement, known);
    const clips = overflowX !== "visible" || overflowY !== "visible";
    known.set(element, clips ? intersect(outer, element.getBoundingClientRect()) : outer);
  }
  return known.get(element);
};

// Every visible line of every text, as the box of its letters.
const textBoxes = (window, document) => {
  const walker = document.createTreeWalker(document.body, window.NodeFilter.SHOW_TEXT);
  const boxes = [];
  const known = new Map();
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!node.data.trim() || UNSEEN.has(parent.tagName)) continue;
    if (!parent.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const drawn = parent.tagName === "text"; // a range does not know of textLength
    for (const line of drawn ? [parent.getBoundingClientRect()] : range.getClientRects()) {
      const pad = LEADING * line.height;
      const letters = { left: line.left, right: line.right, top: line.top + pad, bottom: line.bottom - pad };
      const box = intersect(letters, frameOf(window, parent, known));
      if (box.right - box.left > SLACK && box.bottom - box.top > SLACK)
        boxes.push({ ...box, node, text: node.data.trim().slice(0, 40) });
    }
  }
  return boxes.sort((a, b) => a.top - b.top);
};

const overlaps = (boxes) => {
  const found = [];
  let open = [];
  for (const box of boxes) {
    open = open.filter((other) => other.bottom > box.top + SLACK);
    for (const other of open)
      if (other.node !== box.node && Math.min(other.right, box.right) - Math.max(other.left, box.left) > SLACK)
        found.push(`“${other.text}” lies on “${box.text}”`);
    open.push(box);
  }
  return found;
};

// Labels of a drawing that leave the box that they name.
const spills = (document) =>
  [...document.querySelectorAll(".node, .pill")].flatMap((group) => {
    const body = group.querySelector("rect");
    if (!body) return [];
    const frame = body.getBoundingClientRect();
    return [...group.querySelectorAll(":scope > text")]
      .filter((text) => {
        const box = text.getBoundingClientRect();
        return box.width && (box.right > frame.right + SLACK || box.left < frame.left - SLACK);
      })
      .map((text) => `“${text.textContent}” leaves its box`);
  });

const findFaults = (window, document) => {
  const faults = [];
  const look = (state) => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth > clientWidth + SLACK) faults.push(`${state}: ${scrollWidth} pixels wide`);
    for (const fault of [...overlaps(textBoxes(window, document)), ...spills(document)])
      faults.push(`${state}: ${fault}`);
  };
  look("as loaded");
  for (const details of document.querySelectorAll("details")) details.open = true;
  look("all open");
  return faults.slice(0, 20);
};

const runInFrames = (script) => {
  addEventListener("load", () => {
    const found = {};
    for (const frame of document.querySelectorAll("iframe"))
      found[frame.name] = script(frame.contentWindow, frame.contentDocument);
    const out = document.createElement("pre");
    out.id = "found";
    out.textContent = JSON.stringify(found);
    document.body.replaceChildren(out);
  });
};
