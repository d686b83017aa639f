// Test events, which are kept in this browser, and what the function answers to them.

import { raw } from "../../aws/call.js";
import { h, replace } from "../../ui/dom.js";
import { ask } from "../../ui/dialog.js";
import { editor } from "../../ui/editor.js";
import { badge, button, card, doing, facts, field, select } from "../../ui/parts.js";
import { pretty } from "../../ui/words.js";
import { at } from "./one.js";

const FIRST = { "hello": '{\n    "key": "value"\n}' };

function kept(name) {
  try {
    return JSON.parse(localStorage.getItem(`cumulet.tests.${name}`)) ?? { ...FIRST };
  } catch {
    return { ...FIRST };
  }
}

// `REPORT RequestId: … Duration: 1.23 ms Billed Duration: 2 ms …` as pairs.
export function reportOf(log) {
  const line = log.split("\n").find((one) => one.startsWith("REPORT ")) ?? "";
  return Object.fromEntries([...line.matchAll(/([A-Z][A-Za-z ]+): ([\d.]+ (?:ms|MB))/g)].map(([, name, value]) => [name.trim(), value]));
}

export default async function test(about) {
  const name = about.FunctionName;
  const events = kept(name);
  let chosen = Object.keys(events)[0];
  const result = h("div", { "aria-live": "polite" });
  const place = h("div");
  const pick = h("div");

  function keep() {
    localStorage.setItem(`cumulet.tests.${name}`, JSON.stringify(events));
  }
  function draw() {
    replace(pick, select(Object.keys(events), chosen, { "aria-label": "Test event", onchange: (event) => { chosen = event.target.value; draw(); } }));
    replace(place, editor(events[chosen], { label: `Test event ${chosen}`, rows: 8, onchange: (text) => { events[chosen] = text; } }));
  }
  async function add() {
    const made = await ask("Save as", field("Name of the event", h("input", { name: "name", required: true, maxlength: "60", autocomplete: "off" })), {
      work: async (values) => {
        events[values.name] = events[chosen];
        return values.name;
      },
    });
    if (!made) return;
    chosen = made;
    keep();
    draw();
  }
  function drop() {
    delete events[chosen];
    chosen = Object.keys(events)[0];
    if (!chosen) Object.assign(events, FIRST);
    chosen ??= Object.keys(events)[0];
    keep();
    draw();
  }
  async function run(event) {
    await doing(event, async () => {
      JSON.parse(events[chosen]);
      keep();
      const answer = await raw("lambda", "POST", at(name, "/invocations"), { body: events[chosen], headers: { "x-amz-log-type": "Tail" } });
      const failed = answer.headers.get("x-amz-function-error");
      const log = new TextDecoder().decode(Uint8Array.from(atob(answer.headers.get("x-amz-log-result") ?? ""), (one) => one.charCodeAt(0)));
      const report = reportOf(log);
      replace(result, card("Result",
        h("p", {}, failed ? badge(`✗ failed (${failed})`, "bad") : badge("✓ succeeded", "good")),
        h("pre", { class: "box", tabindex: "0", "aria-label": "Answer" }, pretty(await answer.text())),
        h("h3", {}, "Billed"),
        facts([["Billed duration", report["Billed Duration"]], ["Duration", report.Duration], report["Init Duration"] && ["Start of the function", report["Init Duration"]],
          ["Memory used, limit", `${report["Max Memory Used"] ?? "–"} of ${report["Memory Size"] ?? "–"}`]]),
        h("h3", {}, "Log"), h("pre", { class: "box", tabindex: "0", "aria-label": "Log of this call" }, log)));
    });
  }
  draw();
  return h("div", {},
    h("section", { class: "card" },
      h("header", {}, pick, button("Save as…", add, "small"), button("Remove", drop, "small"),
        h("div", { class: "actions" }, button("Save", () => keep(), ""), button("Test", run, "main-one"))),
      place),
    result);
}
