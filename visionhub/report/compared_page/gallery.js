"use strict";
// The photographs: found by words, task and raters; the data of a photograph is read when it is
// shown. Markup of photographs was made, and all text in it escaped, when the page was written.
addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("filter");
  if (!form) return;
  const find = (name) => document.getElementById(name);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const lower = (text) => text.toLocaleLowerCase().normalize("NFC");
  const [words, who, task, pair, boxes] = ["words", "who", "task", "pair", "boxes"].map(find);
  const cards = find("cards");
  const views = JSON.parse(document.querySelector("script.views").textContent);
  const blocks = all("script.cards");
  const dictionary = [];
  const photos = [];
  for (const element of all("script.index")) {
    const block = JSON.parse(element.textContent);
    dictionary.push(...block.words.map(lower));
    block.names.forEach((name, at) => photos.push({
      name: lower(name), apart: block.apart[at], answered: block.answered[at], told: block.told[at],
    }));
    element.remove();
  }

  const shift = 2 ** views.raters;
  const bits = (chosen) => (chosen ? chosen.reduce((sum, one) => sum | (1 << one), 0) : shift - 1);
  // As in marks.py: how a word is shared among some other raters.
  const state = (code, others) => {
    if (!others) return "";
    const [same, wider, can] = [code % shift, Math.floor(code / shift) % shift,
      Math.floor(code / shift / shift)];
    if (same & others) return (same & others) === others ? "all" : "some";
    if (wider & others) return "wide";
    return can & others ? "one" : "none";
  };

  const chosen = () => ({
    terms: lower(words.value).split(/\s+/).filter(Boolean),
    who: who.value,
    task: task.value ? views.tasks.indexOf(task.value) : -1,
    pair: pair.value ? pair.value.split(" ").map(Number) : null,
  });

  const fitting = (want, rater, code, others) => {
    if (!want.who) return true;
    const how = state(code, others);
    if (want.who === "all" || want.who === "one") return how === want.who;
    return rater === Number(want.who) && how === "one";
  };

  // Whether somebody said, as it is wanted, one of these words (any word without them).
  const said = (photo, want, hits) => {
    const among = bits(want.pair);
    for (let at = 0; at < photo.told.length; at += 3) {
      const about = Math.floor(photo.told[at + 1] / views.raters);
      const rater = photo.told[at + 1] % views.raters;
      if (want.task >= 0 && about !== want.task) continue;
      if (!(among & (1 << rater)) || (hits && !hits.has(photo.told[at]))) continue;
      const others = photo.answered[about] & among & ~(1 << rater);
      if (fitting(want, rater, photo.told[at + 2], others)) return true;
    }
    return false;
  };

  const mean = (values) => values.reduce((sum, one) => sum + one, 0) / values.length;
  // The mean over tasks of the mean over pairs, of those that were chosen; null where none is.
  const distance = (photo, want) => {
    const tasks = new Map();
    views.columns.forEach(([about, a, b], at) => {
      if (want.task >= 0 && about !== want.task) return;
      if (want.pair && (a !== want.pair[0] || b !== want.pair[1])) return;
      if (photo.apart[at] === null) return;
      tasks.set(about, [...(tasks.get(about) || []), photo.apart[at]]);
    });
    return tasks.size ? mean([...tasks.values()].map(mean)) : null;
  };

  const search = (want) => {
    const hits = want.terms.map((term) => {
      const found = new Set();
      dictionary.forEach((word, at) => word.includes(term) && found.add(at));
      return found;
    });
    const found = [];
    photos.forEach((photo, at) => {
      const apart = distance(photo, want);
      if (apart === null) return;
      const named = (term) => !want.who && photo.name.includes(term);
      const fits = want.terms.length
        ? want.terms.every((term, n) => named(term) || said(photo, want, hits[n]))
        : !want.who || said(photo, want, null);
      if (fits) found.push([apart, at]);
    });
    // Without a task or a pair they are in order as they stand.
    if (want.task >= 0 || want.pair) found.sort(([a, i], [b, j]) => b - a || i - j);
    return found.map(([, at]) => at);
  };

  const read = new Map(); // the blocks that were read last
  const markup = (at) => {
    const number = Math.floor(at / views.batch);
    const block = read.get(number) || JSON.parse(blocks[number].textContent);
    read.delete(number);
    read.set(number, block);
    if (read.size > 6) read.delete(read.keys().next().value);
    return block[at % views.batch];
  };

  const fill = (seen) => {
    cards.innerHTML = seen.map(markup).join("");
    for (const path of all(".frame path", cards)) {
      const under = path.cloneNode();
      under.classList.add("under");
      path.before(under);
    }
  };

  // Leaves what was chosen to be seen, and marks words as these raters share them.
  const adjust = (want) => {
    const among = bits(want.pair);
    const off = (element, hidden) => element.classList.toggle("off", hidden);
    const absent = (element) => !(among & (1 << Number(element.dataset.r)));
    const other = (element) => want.task >= 0 && views.tasks[want.task] !== element.dataset.t;
    for (const section of all(".said > section", cards)) off(section, other(section));
    for (const column of all(".cols > div", cards)) off(column, absent(column));
    for (const group of all(".frame g", cards)) {
      const text = group.dataset.t === "text" && task.value !== "text";
      off(group, other(group) || absent(group) || text);
    }
    for (const word of all("[data-s]", cards)) {
      const rater = Number(word.closest("[data-r]").dataset.r);
      const answered = Number(word.closest("[data-a]").dataset.a);
      word.className = state(Number(word.dataset.s), answered & among & ~(1 << rater));
    }
    for (const word of all(".cols li, .text span", cards)) {
      const text = lower(word.textContent);
      const hit = want.terms.some((term) => text.includes(term));
      word.classList.toggle("hit", hit);
      if (hit && word.closest("details")) word.closest("details").open = true;
    }
  };

  let order = [];
  let page = 0;
  let untouched = true; // the first page is in the document already
  const show = () => {
    const pages = Math.max(1, Math.ceil(order.length / views.page));
    page = Math.min(Math.max(page, 0), pages - 1);
    const seen = order.slice(page * views.page, (page + 1) * views.page);
    const asWritten = !page && order.length === photos.length && order.every((one, at) => one === at);
    if (!untouched || !asWritten) fill(seen);
    untouched = untouched && asWritten;
    adjust(chosen());
    find("count").textContent =
      `${order.length.toLocaleString("en")} of ${photos.length.toLocaleString("en")} photographs`;
    find("place").textContent = `page ${page + 1} of ${pages}`;
    find("before").disabled = page === 0;
    find("after").disabled = page === pages - 1;
    find("nothing").hidden = order.length > 0;
  };
  const apply = () => {
    order = search(chosen());
    page = 0;
    show();
  };
  const turn = (step) => {
    page += step;
    show();
    find("photographs").querySelector(".filter").scrollIntoView();
  };

  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const input of [words, who, task, pair]) input.addEventListener("input", apply);
  boxes.addEventListener("input", () => document.body.classList.toggle("bare", !boxes.checked));
  find("before").addEventListener("click", () => turn(-1));
  find("after").addEventListener("click", () => turn(1));
  document.body.classList.toggle("bare", !boxes.checked);
  apply();
});
