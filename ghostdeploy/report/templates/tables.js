// A click on a column's name, or Enter on it, sorts the table: up, down, and as it was.
(() => {
  "use strict";
  const NEXT = { none: "ascending", ascending: "descending", descending: "none" };

  const cellAt = (row, column) => {
    let end = 0;
    return [...row.cells].find((cell) => column < (end += cell.colSpan));
  };
  // The value behind a number, a text, or null for what is absent.
  const keyOf = (row, head) => {
    const cell = cellAt(row, Number(head.dataset.column));
    if (!cell) return null;
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    const text = cell.textContent.trim();
    return head.classList.contains("n") || text === "" || text === "–" ? null : text;
  };
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number"
      ? a - b
      : String(a).localeCompare(String(b), "en", { numeric: true });

  const sort = (table, rows, head, order) => {
    for (const other of table.querySelectorAll("th[aria-sort]")) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", order);
    const keyed = rows.map((row) => [keyOf(row, head), row]);
    const down = order === "descending" ? -1 : 1;
    if (order !== "none")
      keyed.sort(([a], [b]) => (a === null ? (b === null ? 0 : 1) : b === null ? -1 : down * compare(a, b)));
    table.tBodies[0].append(...keyed.map(([, row]) => row));
  };

  for (const table of document.querySelectorAll("table")) {
    const rows = [...table.tBodies[0].rows];
    if (rows.length < 2) continue;
    for (const head of table.querySelectorAll("th[data-column]")) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => sort(table, rows, head, NEXT[head.getAttribute("aria-sort")]));
    }
  }
})();
