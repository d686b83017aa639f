// The last requests, as they come; each opens as a waterfall of what it did.

import { own } from "../aws/call.js";
import { h, replace } from "../ui/dom.js";
import { badge, button, card, facts, notice, table } from "../ui/parts.js";
import { waterfall } from "../ui/waterfall.js";
import { count, dollars, millis, quantity, size } from "../ui/words.js";

const SECONDS = 2;
const SHOWN = 200;

function what(one) {
  if (one.operation) return `${one.service} ${one.operation}`;
  return `${one.method} ${one.path}`;
}

function mark(one) {
  if (one.status >= 500) return badge(`✗ ${one.status}`, "bad");
  if (one.status >= 400) return badge(`! ${one.status}`, "warn");
  return badge(`✓ ${one.status ?? ""}`, "good");
}

async function latest(id) {
  const asked = id ? { requestId: id } : { count: SHOWN };
  return (await own("requests", asked)).requests;
}

export default async function requests(id) {
  return id ? one(id) : list();
}

async function list() {
  let goes = true;
  let all = false;
  const place = h("div");
  const only = h("input", { type: "search", placeholder: "Search: service, operation, path, status, caller", "aria-label": "Search requests", "data-search": true, oninput: draw });
  let found = [];
  const stop = button("Pause", () => {
    goes = !goes;
    stop.textContent = goes ? "Pause" : "Go on";
  });
  const mine = h("label", { class: "choice" }, h("input", { type: "checkbox", onchange: (event) => { all = event.target.checked; draw(); } }), "The console's own, too");
  function draw() {
    const words = only.value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = found.filter((row) => {
      const text = `${what(row)} ${row.status} ${row.caller ?? ""} ${row.error ?? ""} ${row.path} ${row.surface}`.toLowerCase();
      const ofConsole = row.surface === "console" || String(row.host).startsWith("console.");
      return (all || !ofConsole) && words.every((word) => text.includes(word));
    });
    replace(place, table([
      { title: "Answer", value: mark, narrow: true },
      { title: "What", value: (row) => h("a", { href: `#/requests/${row.request_id}` }, what(row)) },
      { title: "Who", value: (row) => h("span", { class: "cut soft", title: row.caller }, String(row.caller ?? row.surface ?? "").split(":").pop()) },
      { title: "Took", value: (row) => millis(row.duration_ms), number: true },
      { title: "Size", value: (row) => (row.answer_bytes === undefined ? "–" : size(row.answer_bytes)), number: true },
    ], rows, words.length ? "Nothing matches." : "No requests yet. Call something, and it shows up here."));
  }
  async function look() {
    if (!goes || document.hidden) return;
    try {
      found = await latest();
      draw();
    } catch (cause) {
      replace(place, notice(cause.message, "bad"));
    }
  }
  await look();
  const timer = setInterval(look, SECONDS * 1000);
  const element = h("div", {},
    h("div", { class: "head" }, h("h1", {}, "Requests"), h("span", { class: "soft" }, "the newest first, of the last 1,000"), h("div", { class: "actions" }, stop)),
    h("div", { class: "filters" }, only, mine),
    h("div", { class: "card" }, place));
  return { element, leave: () => clearInterval(timer) };
}

async function one(id) {
  const [found] = await latest(id);
  if (!found) return h("div", {}, h("h1", {}, "Request"), notice("This request is no longer among the last thousand."));
  const total = Math.max(found.duration_ms, ...found.spans.map(([, start, length]) => (start + length) / 1000));
  const others = (await own("requests", { traceId: found.trace_id })).requests.filter((other) => other.request_id !== id);
  const known = new Set(["spans", "request_id", "trace_id", "method", "path", "host", "peer", "status", "duration_ms", "request_bytes", "answer_bytes", "cost"]);
  const rest = Object.entries(found).filter(([name, value]) => !known.has(name) && value !== null && value !== "");
  return h("div", {},
    h("div", { class: "head" }, h("div", { class: "crumbs" }, h("a", { href: "#/requests" }, "Requests")), h("h1", {}, what(found)), mark(found)),
    card("What it did", waterfall([
      { name: "the whole request", start: 0, length: found.duration_ms },
      ...found.spans.map(([name, start, length, fields]) => ({ name, start: start / 1000, length: length / 1000, title: fields && JSON.stringify(fields) })),
    ], total)),
    others.length > 0 && card("In the same trace", table([
      { title: "Answer", value: mark, narrow: true },
      { title: "What", value: (row) => h("a", { href: `#/requests/${row.request_id}` }, what(row)) },
      { title: "Took", value: (row) => millis(row.duration_ms), number: true },
    ], others)),
    found.cost && card("What it would have cost on AWS", costOf(found.cost)),
    card("The request", facts([
      ["Method and path", h("code", {}, `${found.method} ${found.path}`)],
      ["Host", found.host], ["From", found.peer],
      ["Took", millis(found.duration_ms)],
      ["Bytes in, out", `${count(found.request_bytes ?? 0)}, ${found.answer_bytes === undefined ? "streamed" : count(found.answer_bytes)}`],
      ["Request id", h("code", {}, found.request_id)], ["Trace id", h("code", {}, found.trace_id)],
      ...rest.map(([name, value]) => [name.replaceAll("_", " "), typeof value === "object" ? h("code", {}, JSON.stringify(value)) : String(value)]),
    ])));
}

// Alone, by the prices of the first tiers; others of the same trace have theirs.
function costOf(cost) {
  return [
    h("p", {}, h("b", {}, dollars(cost.usd)), ` · ${dollars(cost.usd * 1e6)} for a million like it`),
    table([
      { title: "Usage", value: (part) => `${part.service}, ${part.usage_type}` },
      { title: "Resource", value: (part) => h("span", { class: "cut", title: part.resource }, part.resource) },
      { title: "Amount", value: (part) => quantity(part.amount, part.unit), number: true },
      { title: "USD", value: (part) => dollars(part.usd), number: true },
    ], cost.parts),
    h("p", { class: "soft" }, cost.note),
  ];
}
