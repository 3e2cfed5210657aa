"use strict";
// A heading sorts its table: numbers by their value, the rest as words; equal cells keep their order.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const value = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value !== undefined ? Number(cell.dataset.value)
      : cell.classList.contains("n") ? Number(cell.textContent.replaceAll(",", "")) : cell.textContent;
  };
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const falling = head.getAttribute("aria-sort") === "ascending"
        || (head.getAttribute("aria-sort") === null && head.classList.contains("n"));
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      const rows = [...body.rows].sort((left, right) => {
        const a = value(left, column), b = value(right, column);
        const order = typeof a === "number" ? a - b : a.localeCompare(b);
        return falling ? -order : order;
      });
      body.append(...rows);
    });
  });
}
