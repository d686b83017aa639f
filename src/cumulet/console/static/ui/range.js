// The choice of a range of time: the last hours, or from a moment to another.

import { h } from "./dom.js";
import { field, select } from "./parts.js";

const SPANS = [["1", "hour"], ["3", "3 hours"], ["12", "12 hours"], ["24", "day"], ["168", "7 days"], ["720", "30 days"]];

// `element.range()` is [from, to] in epoch seconds. Throws an Error where it ends before it begins.
export function rangePicker(onchange, hours = "3") {
  const from = h("input", { type: "datetime-local", onchange: typed });
  const to = h("input", { type: "datetime-local", onchange: typed });
  const last = select([...SPANS, ["", "as typed"]], hours, { onchange: () => {
    if (last.value) from.value = to.value = "";
    onchange();
  } });
  const seconds = (input) => new Date(input.value).getTime() / 1000;
  function typed() {
    last.value = from.value || to.value ? "" : hours;
    onchange();
  }
  const element = h("div", { class: "row range" }, field("The last", last), field("or from", from), field("to", to));
  element.range = () => {
    const end = to.value ? seconds(to) : Math.floor(Date.now() / 1000);
    const start = from.value ? seconds(from) : end - Number(last.value || hours) * 3600;
    if (start >= end) throw new Error("The range ends before it begins.");
    return [start, end];
  };
  return element;
}
