"use strict";
// Long tables: rows by words, pages, and columns to sort by.
(() => {
  const lower = (text) => text.toLocaleLowerCase().normalize("NFC");

  // What a row is sorted by: undefined where it has no number, which comes last either way.
  const key = (row, column, kind) => {
    const cell = row.cells[column];
    if (kind === "text") return lower(cell.textContent);
    return cell.dataset.v === undefined ? undefined : Number(cell.dataset.v);
  };
  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

  const sort = (rows, column, kind, down) => {
    const keyed = rows.map((row, at) => [key(row, column, kind), at, row]);
    keyed.sort(([a, i], [b, j]) => {
      if (a === undefined || b === undefined) return (a === undefined) - (b === undefined) || i - j;
      return (down ? -1 : 1) * compare(a, b) || i - j;
    });
    return keyed.map(([, , row]) => row);
  };

  const sortable = (table, changed) => {
    const heads = [...table.tHead.rows[0].cells];
    const body = table.tBodies[0];
    for (const head of heads.filter((one) => one.dataset.sort)) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const first = head.dataset.sort === "number" ? "descending" : "ascending";
        const second = first === "descending" ? "ascending" : "descending";
        const order = head.getAttribute("aria-sort") === first ? second : first;
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", order);
        const column = heads.indexOf(head);
        body.append(...sort([...body.rows], column, head.dataset.sort, order === "descending"));
        changed();
      });
    }
  };

  const listing = (box) => {
    const table = box.querySelector("table");
    const form = box.querySelector(".tools");
    const field = form.querySelector("input");
    const told = form.querySelector("output");
    const size = Number(box.dataset.page);
    const texts = new Map();
    for (const row of table.tBodies[0].rows) {
      texts.set(row, lower((row.querySelector("th") || row).textContent));
    }
    const pick = box.closest(".pick");
    let page = 0;
    // A row that has not every measure is shown where it has the chosen one (see choice.py).
    const chosen = (row) => {
      const button = pick && pick.querySelector(".choices :checked");
      return !button || !row.classList.contains("v")
        || row.classList.contains(button.className.replace("c", "v"));
    };
    const show = () => {
      const terms = lower(field.value).split(/\s+/).filter(Boolean);
      const rows = [...table.tBodies[0].rows];
      const fitting = rows.filter((row) =>
        chosen(row) && terms.every((term) => texts.get(row).includes(term)));
      const pages = Math.max(1, Math.ceil(fitting.length / size));
      page = Math.min(Math.max(page, 0), pages - 1);
      const seen = new Set(fitting.slice(page * size, (page + 1) * size));
      for (const row of rows) row.hidden = !seen.has(row);
      const first = fitting.length ? page * size + 1 : 0;
      told.textContent = `${first} to ${first + seen.size - (first > 0)} of ${fitting.length}`;
      for (const button of form.querySelectorAll("button")) {
        const next = page + Number(button.dataset.step);
        button.disabled = next < 0 || next >= pages;
      }
    };
    const start = () => { page = 0; show(); };
    sortable(table, start);
    field.addEventListener("input", start);
    if (pick) pick.addEventListener("change", start);
    form.addEventListener("submit", (event) => event.preventDefault());
    for (const button of form.querySelectorAll("button")) {
      button.addEventListener("click", () => { page += Number(button.dataset.step); show(); });
    }
    form.hidden = false;
    show();
  };

  for (const box of document.querySelectorAll(".listing")) listing(box);
  for (const head of document.querySelectorAll("th[data-sort]")) {
    const table = head.closest("table");
    if (!head.querySelector("button") && table.tBodies.length === 1) sortable(table, () => {});
  }

  // A box that scrolls sideways says so, until its end is seen: scroll bars may be invisible.
  const sideways = (box) => {
    const told = document.createElement("p");
    told.className = "sideways";
    told.textContent = "Scroll sideways for more →";
    told.setAttribute("aria-hidden", "true");
    box.before(told);
    const look = () => {
      told.hidden = box.scrollWidth <= box.clientWidth + 1;
      const left = box.scrollWidth - box.clientWidth - box.scrollLeft;
      box.classList.toggle("on", left > 1);
    };
    box.addEventListener("scroll", look, { passive: true });
    const watch = new ResizeObserver(look);
    watch.observe(box);
    for (const one of box.children) watch.observe(one);
    look();
  };
  for (const box of document.querySelectorAll("div.wide")) sideways(box);
})();
