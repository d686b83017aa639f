// Parts of forms that hold more than one value, and boxes that are read as a whole.

import { freshId, h } from "./dom.js";
import { button, field } from "./parts.js";

// A box to tick; `hint` stands below it.
export function flag(label, settings = {}, hint) {
  const id = hint && freshId("hint");
  const box = h("input", { type: "checkbox", "aria-describedby": id, ...settings });
  const whole = h("div", { class: "field" }, h("label", { class: "choice" }, box, label), hint && h("p", { class: "hint", id }, hint));
  whole.box = box;
  return whole;
}

// Names with values, one a row; rows can be added. `values()` reads them.
export function pairs(title, found = {}, { name = "Name", value = "Value" } = {}) {
  const rows = h("div");
  const add = (key = "", text = "") => {
    const row = h("div", { class: "row pair" },
      h("input", { "aria-label": `${title}: ${name}`, value: key, placeholder: name, spellcheck: "false" }),
      h("input", { "aria-label": `${title}: ${value}${key ? ` of ${key}` : ""}`, value: text, placeholder: value, spellcheck: "false" }),
      button("Remove", () => { row.remove(); more.focus(); }, "small", { "aria-label": `Remove ${key || "this row"}` }));
    rows.append(row);
    return row;
  };
  const more = button(`Add to ${title.toLowerCase()}`, () => add().querySelector("input").focus(), "small");
  for (const [key, text] of Object.entries(found)) add(key, text);
  const whole = h("div", { class: "field", role: "group", "aria-label": title }, h("div", { class: "label" }, title), rows, more);
  whole.values = () => {
    const kept = {};
    for (const row of rows.querySelectorAll(".pair")) {
      const [key, text] = row.querySelectorAll("input");
      if (key.value.trim()) kept[key.value.trim()] = text.value;
    }
    return kept;
  };
  return whole;
}

// Several boxes to tick; `values()` are the ticked ones.
export function several(title, options, chosen = []) {
  const boxes = options.map((one) => {
    const [value, text] = Array.isArray(one) ? one : [one, one];
    return h("label", { class: "choice" }, h("input", { type: "checkbox", value, checked: chosen.includes(value) }), text);
  });
  const whole = h("div", { class: "field", role: "group", "aria-label": title }, h("div", { class: "label" }, title), h("div", { class: "several" }, boxes));
  whole.values = () => boxes.map((one) => one.querySelector("input")).filter((box) => box.checked).map((box) => box.value);
  return whole;
}

// A box with suggestions, in which anything can be typed.
export function suggested(label, options, settings = {}, hint) {
  const list = h("datalist", { id: freshId("list") }, options.map((one) => h("option", { value: one })));
  const input = h("input", { list: list.id, spellcheck: "false", autocomplete: "off", ...settings });
  const whole = h("div", { class: "grow" }, field(label, input, hint), list);
  whole.input = input;
  return whole;
}

// What is seldom set, behind a line that opens.
export function more(title, ...content) {
  return h("details", { class: "more" }, h("summary", {}, title), content);
}

export function words(text) {
  return text.split(/[\s,]+/).filter(Boolean);
}

// JSON that someone typed. Throws an Error that says where it ends to be JSON.
export function parsed(text, what = "This") {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const at = Number(/position (\d+)/.exec(cause.message)?.[1]);
    const line = Number.isFinite(at) ? ` (line ${text.slice(0, at).split("\n").length})` : "";
    throw new Error(`${what} is not JSON${line}: ${cause.message}`);
  }
}
