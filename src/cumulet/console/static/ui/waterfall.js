// What happened when, within one whole: a bar for each part.

import { h } from "./dom.js";
import { millis } from "./words.js";

// `rows`: { name, start, length, depth?, title?, tone?, mark?, open? }, times in ms; `open` makes the name a button.
export function waterfall(rows, whole) {
  const total = Math.max(0.001, whole);
  return h("div", { class: "fall" }, rows.map((row) => {
    const name = row.mark ? `${row.mark} ${row.name}` : row.name;
    return [
      row.open
        ? h("button", { type: "button", class: `name depth${Math.min(8, row.depth ?? 0)}`, title: row.title ?? row.name, onclick: row.open }, name)
        : h("span", { class: `name depth${Math.min(8, row.depth ?? 0)}`, title: row.title ?? row.name }, name),
      h("span", { class: "track" }, h("i", { class: row.tone, "left%": Math.max(0, Math.min(99.5, (100 * row.start) / total)), "width%": Math.min(100, (100 * row.length) / total) })),
      h("span", { class: "took" }, millis(row.length)),
    ];
  }));
}
