// Boxes and the lines between them, as SVG: each box stands right of all that lead to it.

import { h, s } from "./dom.js";

const WIDE = 200;
const GAP_X = 100;
const GAP_Y = 22;

function levels(nodes, edges) {
  const into = new Map(nodes.map((node) => [node.id, []]));
  for (const edge of edges) into.get(edge.to)?.push(edge.from);
  const level = new Map();
  const visit = (id, trail) => {
    if (level.has(id)) return level.get(id);
    if (trail.has(id)) return 0;
    trail.add(id);
    const depth = Math.max(-1, ...into.get(id).map((other) => visit(other, trail))) + 1;
    level.set(id, depth);
    return depth;
  };
  for (const node of nodes) visit(node.id, new Set());
  return level;
}

// `nodes`: { id, title, lines, tone?, href? }, `edges`: { from, to, text?, tone? }; tones are "bad" and "warn".
export function graph(nodes, edges, label) {
  const known = new Set(nodes.map((node) => node.id));
  const joined = edges.filter((edge) => known.has(edge.from) && known.has(edge.to));
  const high = 30 + 16 * Math.max(1, ...nodes.map((node) => node.lines.length));
  const level = levels(nodes, joined);
  const named = joined.some((edge) => edge.text);
  const gap = named ? GAP_X : GAP_X / 2;
  const filled = [];
  const place = new Map(nodes.map((node) => {
    const column = level.get(node.id);
    filled[column] = (filled[column] ?? 0) + 1;
    return [node.id, { x: column * (WIDE + gap), y: (filled[column] - 1) * (high + GAP_Y) }];
  }));
  const width = filled.length * (WIDE + gap) - gap + 4;
  const height = Math.max(...filled.map((one) => one ?? 0), 1) * (high + GAP_Y) - GAP_Y + 8;
  const lines = joined.map((edge) => {
    const [a, b] = [place.get(edge.from), place.get(edge.to)];
    const [x1, y1, x2, y2] = [a.x + WIDE, a.y + high / 2, b.x, b.y + high / 2];
    const bend = Math.max(20, Math.abs(x2 - x1) / 2);
    return s("g", { class: `way ${edge.tone ?? ""}` },
      s("path", { class: "edge", d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2 - 7} ${y2}` }),
      s("path", { class: "head", d: `M${x2} ${y2}l-8 -4v8z` }),
      edge.text && s("text", { x: (x1 + x2) / 2, y: (y1 + y2) / 2 - 6, "text-anchor": "middle" }, edge.text));
  });
  const boxes = nodes.map((node) => {
    const { x, y } = place.get(node.id);
    const box = s("g", { class: `box ${node.tone ?? ""}`, transform: `translate(${x} ${y})` },
      s("title", {}, [node.title, ...node.lines].filter(Boolean).join(": ")),
      s("rect", { class: "node", width: WIDE, height: high, rx: 8 }),
      s("text", { class: "name", x: 10, y: 20 }, short(node.title, 25)),
      node.lines.filter(Boolean).map((line, index) => s("text", { x: 10, y: 37 + index * 16 }, short(line, 31))));
    return node.href ? s("a", { href: node.href, "aria-label": [node.title, ...node.lines].join(", ") }, box) : box;
  });
  return h("div", { class: "scroll" }, s("svg", {
    class: "chart graph", viewBox: `-2 -4 ${width} ${height}`, width, height, role: nodes.some((node) => node.href) ? "group" : "img", "aria-label": label,
  }, lines, boxes));
}

function short(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
