// One trace: its segments and subsegments as a waterfall, and why they failed.

import { h, replace } from "../../ui/dom.js";
import { badge, card, cardWith, facts, notice } from "../../ui/parts.js";
import { pictureCard } from "../../ui/picture.js";
import { millis, pretty, several, when } from "../../ui/words.js";
import { waterfall } from "../../ui/waterfall.js";
import { serviceMap } from "./service_map.js";
import { marks, xray } from "./traces.js";

const SIGNS = [["fault", "✗", "bad"], ["throttle", "!", "warn"], ["error", "!", "warn"]];
const KNOWN = new Set(["id", "name", "start_time", "end_time", "trace_id", "parent_id", "subsegments", "cause", "http", "fault", "error", "throttle", "in_progress", "type"]);

// Segments in the order of their calls: those that another caused stand below it.
export function rowsOf(documents) {
  const byParent = Map.groupBy(documents, (one) => one.parent_id ?? "");
  const ids = new Set();
  const collect = (one) => {
    ids.add(one.id);
    (one.subsegments ?? []).forEach(collect);
  };
  documents.forEach(collect);
  const rows = [];
  const seen = new Set();
  const visit = (one, depth, isSegment) => {
    if (seen.has(one.id)) return;
    seen.add(one.id);
    rows.push({ part: one, depth, isSegment });
    const below = [...(one.subsegments ?? []).map((part) => [part, false]), ...(byParent.get(one.id) ?? []).map((part) => [part, part.type !== "subsegment"])];
    below.sort(([a], [b]) => a.start_time - b.start_time).forEach(([part, segment]) => visit(part, depth + 1, segment));
  };
  const roots = documents.filter((one) => !one.parent_id || !ids.has(one.parent_id));
  roots.sort((a, b) => a.start_time - b.start_time).forEach((one) => visit(one, 0, true));
  return rows;
}

export async function trace(id) {
  const [{ Traces }, { Services }] = await Promise.all([xray("/Traces", { TraceIds: [id] }), xray("/TraceGraph", { TraceIds: [id] })]);
  const documents = (Traces?.[0]?.Segments ?? []).map((one) => JSON.parse(one.Document));
  const top = h("div", { class: "head" }, h("div", { class: "crumbs" }, h("a", { href: "#/traces" }, "Traces")), h("h1", { class: "mono" }, id));
  if (!documents.length) return h("div", {}, top, notice("There is no such trace: it was never sent, or is older than thirty days."));
  const rows = rowsOf(documents);
  const began = Math.min(...rows.map(({ part }) => part.start_time));
  const ended = Math.max(...rows.map(({ part }) => part.end_time ?? part.start_time));
  const place = h("div", { "aria-live": "polite" });
  const failed = rows.filter(({ part }) => part.cause?.exceptions?.length || part.fault);
  top.append(marks({ fault: rows.some(({ part }) => part.fault), throttle: rows.some(({ part }) => part.throttle), error: rows.some(({ part }) => part.error) }),
    h("span", { class: "soft" }, `${when(began)}, ${millis((ended - began) * 1000)}, ${several(documents.length, "segment")}`));
  return h("div", {}, top,
    card("What happened when", waterfall(rows.map((row) => barOf(row, began, ended, () => {
      replace(place, details(row, began));
      place.scrollIntoView({ block: "nearest" });
    })), (ended - began) * 1000)),
    place,
    failed.length > 0 && card("What failed", failed.map(({ part }) => failureOf(part))),
    Services?.length > 0 && pictureCard("The services of this trace", serviceMap(Services), `trace-${id}`));
}

function barOf({ part, depth, isSegment }, began, ended, open) {
  const [, mark, tone] = SIGNS.find(([name]) => part[name]) ?? [];
  const end = part.end_time ?? ended;
  return { name: `${part.name}${part.in_progress ? " (goes on)" : ""}`, mark, tone: tone ?? (isSegment ? undefined : "part"), depth, open,
    start: (part.start_time - began) * 1000, length: (end - part.start_time) * 1000,
    title: [part.name, part.http?.response?.status, ...(part.cause?.exceptions ?? []).map((one) => `${one.type}: ${one.message}`)].filter(Boolean).join(" ") };
}

function failureOf(part) {
  const exceptions = part.cause?.exceptions ?? [];
  return h("div", { class: "notice bad" }, h("b", {}, `✗ ${part.name}`),
    !exceptions.length && h("p", {}, typeof part.cause === "string" ? `Caused by ${part.cause}, which another segment tells.` : `A fault${part.http?.response?.status ? `: answered ${part.http.response.status}` : ""}.`),
    exceptions.map((one) => h("div", {}, h("p", {}, `${one.type ?? "Error"}: ${one.message ?? ""}`),
      one.stack?.length > 0 && h("pre", { class: "box", tabindex: "0" }, one.stack.map((line) => `${line.path ?? ""}:${line.line ?? "?"} ${line.label ?? ""}`).join("\n")))));
}

function details({ part, isSegment }, began) {
  const rest = Object.entries(part).filter(([name]) => !KNOWN.has(name));
  const http = part.http ?? {};
  return cardWith(part.name, [badge(isSegment ? "segment" : "subsegment"), marks(part)], facts([
    ["Begins after", millis((part.start_time - began) * 1000)],
    ["Took", part.end_time ? millis((part.end_time - part.start_time) * 1000) : "goes on"],
    http.request && ["Request", h("code", {}, `${http.request.method ?? ""} ${http.request.url ?? ""}`)],
    http.response?.status && ["Answer", String(http.response.status)],
    ["Id", h("code", {}, part.id)], part.parent_id && ["Below", h("code", {}, part.parent_id)],
    ...rest.map(([name, value]) => [name.replaceAll("_", " "), typeof value === "object" ? h("pre", { class: "box", tabindex: "0" }, pretty(value)) : String(value)]),
  ]), (part.cause || part.fault) && failureOf(part));
}
