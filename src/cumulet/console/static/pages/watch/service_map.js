// The map of services: each with its calls and faults, and the ways between them.

import { graph } from "../../ui/graph.js";
import { count, millis, several } from "../../ui/words.js";

const keyOf = (one) => `${one.Type} ${one.Name}`;

function sum(one = {}, other = {}) {
  const add = (name) => (one[name] ?? 0) + (other[name] ?? 0);
  const inner = (name) => ({ TotalCount: (one[name]?.TotalCount ?? 0) + (other[name]?.TotalCount ?? 0) });
  return { TotalCount: add("TotalCount"), TotalResponseTime: add("TotalResponseTime"), FaultStatistics: inner("FaultStatistics"), ErrorStatistics: inner("ErrorStatistics") };
}

// Services of several ranges as one list: each once, with all of its calls.
export function together(parts) {
  const found = new Map();
  for (const services of parts) {
    const keys = new Map(services.map((one) => [one.ReferenceId, keyOf(one)]));
    for (const one of services) {
      const known = found.get(keyOf(one)) ?? { Name: one.Name, Type: one.Type, ReferenceId: keyOf(one), Edges: [] };
      known.SummaryStatistics = sum(known.SummaryStatistics, one.SummaryStatistics);
      for (const edge of one.Edges ?? []) {
        const to = keys.get(edge.ReferenceId);
        let way = known.Edges.find((other) => other.ReferenceId === to);
        if (!way) known.Edges.push((way = { ReferenceId: to }));
        way.SummaryStatistics = sum(way.SummaryStatistics, edge.SummaryStatistics);
      }
      found.set(keyOf(one), known);
    }
  }
  return [...found.values()];
}

const share = (part, whole) => `${Number(((100 * part) / Math.max(1, whole)).toFixed(1))} %`;

// Faults are told by a sign and in words, not by colour alone.
function toldOf({ TotalCount = 0, FaultStatistics, ErrorStatistics }) {
  const [faults, errors] = [FaultStatistics?.TotalCount ?? 0, ErrorStatistics?.TotalCount ?? 0];
  if (faults) return { tone: "bad", text: `✗ ${several(faults, "fault")} (${share(faults, TotalCount)})` };
  if (errors) return { tone: "warn", text: `! ${several(errors, "error")} (${share(errors, TotalCount)})` };
  return { tone: "", text: "✓ no faults" };
}

export function serviceMap(services) {
  const nodes = services.map((one) => {
    const about = one.SummaryStatistics ?? {};
    const { tone, text } = toldOf(about);
    const average = (1000 * (about.TotalResponseTime ?? 0)) / Math.max(1, about.TotalCount ?? 0);
    return { id: one.ReferenceId, title: one.Name, tone, lines: [one.Type === one.Name ? "" : one.Type ?? "", `${several(about.TotalCount ?? 0, "call")}, ${millis(average)}`, text] };
  });
  const edges = services.flatMap((one) => (one.Edges ?? []).map((edge) => {
    const { tone, text } = toldOf(edge.SummaryStatistics ?? {});
    const calls = count(edge.SummaryStatistics?.TotalCount);
    return { from: one.ReferenceId, to: edge.ReferenceId, tone, text: tone ? `${calls}, ${text.replace(/ \(.*/, "")}` : calls };
  }));
  return graph(nodes, edges, `${nodes.length} services. ${nodes.map((one) => [one.title, ...one.lines].join(", ")).join(". ")}`);
}
