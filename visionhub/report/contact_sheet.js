"use strict";
// Shows the photographs whose names, labels or texts hold every word typed, within the chosen task.
(() => {
  const find = (selector, root = document) => [...root.querySelectorAll(selector)];
  const words = document.getElementById("words");
  const task = document.getElementById("task");
  const boxes = document.getElementById("boxes");
  const count = document.getElementById("count");
  const nothing = document.getElementById("nothing");
  const lower = (text) => text.toLocaleLowerCase().normalize("NFC");
  const cards = find(".card").map((card) => ({
    element: card,
    problem: card.dataset.problem === "1",
    name: lower(card.querySelector("h2").textContent),
    parts: find("section[data-task], li[data-task], g[data-task]", card),
    found: new Set(find("section[data-found='1']", card).map((part) => part.dataset.task)),
    items: find("section li", card).map((item) => ({
      element: item,
      task: item.closest("section").dataset.task,
      text: lower(item.querySelector(".name").textContent),
      hidden: item.closest("details"),
    })),
  }));

  const matches = (card, terms, chosen) => {
    if (chosen === "problems" ? !card.problem : chosen && !card.found.has(chosen)) return false;
    const open = new Set();
    let all = true;
    const items = card.items.filter((item) => !chosen || chosen === "problems" || item.task === chosen);
    for (const item of card.items) item.element.classList.remove("hit");
    for (const term of terms) {
      const hits = items.filter((item) => item.text.includes(term));
      for (const item of hits) {
        item.element.classList.add("hit");
        if (item.hidden) open.add(item.hidden);
      }
      if (!hits.length && !card.name.includes(term)) all = false;
    }
    if (all) for (const details of open) details.open = true;
    return all;
  };

  const apply = () => {
    const terms = lower(words.value).split(/\s+/).filter(Boolean);
    const chosen = task.value;
    const one = chosen && chosen !== "problems";
    let shown = 0;
    for (const card of cards) {
      const visible = matches(card, terms, chosen);
      card.element.hidden = !visible;
      shown += visible;
      for (const part of card.parts) {
        part.classList.toggle("off", Boolean(one && !part.dataset.task.split(" ").includes(chosen)));
      }
    }
    document.body.classList.toggle("bare", !boxes.checked);
    count.textContent = `${shown} of ${cards.length} photographs`;
    nothing.hidden = shown > 0;
  };

  const form = document.querySelector(".filter");
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const input of [words, task, boxes]) input.addEventListener("input", apply);
  apply();
})();
