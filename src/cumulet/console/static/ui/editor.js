// A plain editor for code: line numbers, Tab indents, Escape then Tab leaves it.

import { h } from "./dom.js";

export function editor(text, { label, onchange, rows } = {}) {
  const lines = h("div", { class: "lines", "aria-hidden": "true" });
  const area = h("textarea", {
    "aria-label": label, spellcheck: "false", autocapitalize: "off", autocomplete: "off", wrap: "off", rows,
    oninput: () => { number(); onchange?.(area.value); },
    onkeydown: indent,
    onscroll: () => { lines.scrollTop = area.scrollTop; },
  });
  let leaving = false;
  area.value = text;
  function number() {
    const count = area.value.split("\n").length;
    if (lines.childElementCount !== count) lines.textContent = Array.from({ length: count }, (_, index) => index + 1).join("\n");
  }
  function indent(event) {
    if (event.key === "Escape") {
      leaving = true;
      return;
    }
    if (event.key === "Tab" && !event.shiftKey && !leaving) {
      event.preventDefault();
      area.setRangeText("    ", area.selectionStart, area.selectionEnd, "end");
      number();
      onchange?.(area.value);
    }
    leaving = false;
  }
  number();
  const whole = h("div", { class: "editor" }, lines, area);
  whole.area = area;
  return whole;
}
