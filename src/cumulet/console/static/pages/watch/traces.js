// Traces: found by a filter over a range, and the map of the services that they went through.

import { everything, rest } from "../../aws/call.js";
import { h, replace } from "../../ui/dom.js";
import { more, suggested } from "../../ui/form.js";
import { badge, button, card, failure, table, tabs } from "../../ui/parts.js";
import { pictureCard } from "../../ui/picture.js";
import { rangePicker } from "../../ui/range.js";
import { millis, several, when } from "../../ui/words.js";
import { serviceMap, together } from "./service_map.js";
import { trace } from "./trace.js";

const EXAMPLES = ["fault", "error", "throttle", "responsetime > 1", 'service("name")', 'http.status = 500', 'http.url CONTAINS "/scores"', 'annotation.key = "value"'];
const PAGES_MAX = 20;
const SHOWN = 500;
// https://docs.aws.amazon.com/xray/latest/api/API_GetTraceSummaries.html and API_GetServiceGraph.html
const SUMMARIES_SECONDS_MAX = 24 * 3600;
const GRAPH_SECONDS_MAX = 6 * 3600;

export const xray = (path, input) => rest("xray", "POST", path, { input });

export function marks(one) {
  if (one.HasFault ?? one.fault) return badge("✗ fault", "bad");
  if (one.HasThrottle ?? one.throttle) return badge("! throttled", "warn");
  if (one.HasError ?? one.error) return badge("! error", "warn");
  return badge("✓ well", "good");
}

export default async function traces(part, ...rest) {
  if (part?.startsWith("1-")) return trace(part, ...rest);
  const filter = suggested("Filter expression", EXAMPLES, { placeholder: 'service("name") AND fault', "data-search": true, onkeydown: (event) => { if (event.key === "Enter") shown?.(); } });
  const range = rangePicker(() => shown?.(), "3");
  let shown;
  const begin = (draw) => {
    const place = h("div", { "aria-live": "polite" });
    shown = async () => {
      try {
        replace(place, h("p", { class: "soft" }, "Loading…"));
        replace(place, await draw(range.range()));
      } catch (cause) {
        replace(place, failure(cause));
      }
    };
    shown();
    return place;
  };
  return h("div", {},
    h("div", { class: "head" }, h("h1", {}, "Traces")),
    h("section", { class: "card" }, h("div", { class: "row" }, filter, button("Search", () => shown?.(), "main-one")), h("div", { class: "gap" }), range,
      more("Filters that are understood", h("p", {}, EXAMPLES.map((one) => [button(one, () => { filter.input.value = one; shown?.(); }, "small mono"), " "])))),
    tabs({ List: () => begin((span) => list(filter.input.value.trim(), span)), Map: () => begin(map) }, part, "#/traces"));
}

// A range in parts that are no longer than X-Ray takes at once, the newest first.
export function windows([from, to], most) {
  const found = [];
  for (let end = to; end > from; end -= most) found.push([Math.max(from, end - most), end]);
  return found;
}

async function list(expression, range) {
  const found = [];
  for (const [StartTime, EndTime] of windows(range, SUMMARIES_SECONDS_MAX)) {
    found.push(...await everything(
      (NextToken) => xray("/TraceSummaries", { StartTime, EndTime, FilterExpression: expression || undefined, NextToken }),
      (a) => a.TraceSummaries, (a) => a.NextToken, PAGES_MAX));
    if (found.length > SHOWN) break;
  }
  found.sort((a, b) => beganAt(b) - beganAt(a));
  return card(found.length > SHOWN ? `The newest ${SHOWN} traces` : several(found.length, "trace"), table([
    { title: "State", value: marks, narrow: true },
    { title: "Trace", value: (row) => h("a", { href: `#/traces/${row.Id}` }, h("code", {}, row.Id)) },
    { title: "Request", value: (row) => `${row.Http?.HttpMethod ?? ""} ${row.Http?.HttpURL ?? row.EntryPoint?.Name ?? ""}`.trim() || "–" },
    { title: "Status", value: (row) => row.Http?.HttpStatus ?? "–", narrow: true },
    { title: "Took", value: (row) => (row.Duration === undefined ? "goes on" : millis(row.Duration * 1000)), number: true },
    { title: "Began", value: (row) => when(beganAt(row)), narrow: true },
  ], found.slice(0, SHOWN), expression ? "Nothing matches." : "No traces in this time. Turn on tracing for a function or a stage, and call it."));
}

// A trace's id tells the second in which it began.
function beganAt(row) {
  return row.StartTime ?? parseInt(row.Id.split("-")[1], 16);
}

async function map(range) {
  const parts = await Promise.all(windows(range, GRAPH_SECONDS_MAX).map(([StartTime, EndTime]) => everything(
    (NextToken) => xray("/ServiceGraph", { StartTime, EndTime, NextToken }), (a) => a.Services, (a) => a.NextToken, PAGES_MAX)));
  const services = together(parts);
  if (!services.length) return h("div", { class: "card empty" }, "No service was called in this time.");
  return pictureCard("Service map", serviceMap(services), "service-map");
}
