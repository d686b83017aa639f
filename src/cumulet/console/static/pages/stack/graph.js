// A template as a picture: each resource stands right of all that it needs.

import { h, s } from "../../ui/dom.js";

const WIDE = 200;
const HIGH = 46;
const GAP_X = 60;
const GAP_Y = 14;

// Logical ids that a value refers to, by Ref, GetAtt, Sub and DependsOn.
function references(value, known, found = new Set()) {
  if (Array.isArray(value)) {
    for (const one of value) references(one, known, found);
  } else if (value && typeof value === "object") {
    for (const [name, inner] of Object.entries(value)) {
      if (name === "Ref" && known.has(inner)) found.add(inner);
      else if (name === "Fn::GetAtt") found.add(Array.isArray(inner) ? inner[0] : String(inner).split(".")[0]);
      else if (name === "Fn::Sub") {
        const text = Array.isArray(inner) ? inner[0] : inner;
        for (const [, id] of String(text).matchAll(/\$\{([A-Za-z0-9]+)(?:\.[^}]+)?\}/g)) if (known.has(id)) found.add(id);
      }
      references(inner, known, found);
    }
  }
  return found;
}

function levels(needs) {
  const level = new Map();
  const visit = (id, trail) => {
    if (level.has(id)) return level.get(id);
    if (trail.has(id)) return 0;
    trail.add(id);
    const depth = Math.max(-1, ...[...needs.get(id)].map((other) => visit(other, trail))) + 1;
    level.set(id, depth);
    return depth;
  };
  for (const id of needs.keys()) visit(id, new Set());
  return level;
}

export function graph(template) {
  const resources = Object.entries(template.Resources ?? {});
  const known = new Set(resources.map(([id]) => id));
  const needs = new Map(resources.map(([id, one]) => {
    const found = references([one.Properties, one.DependsOn && { DependsOn: [].concat(one.DependsOn).map((Ref) => ({ Ref })) }], known);
    found.delete(id);
    return [id, new Set([...found].filter((other) => known.has(other)))];
  }));
  const level = levels(needs);
  const place = new Map();
  const filled = [];
  for (const [id] of resources) {
    const column = level.get(id);
    filled[column] = (filled[column] ?? 0) + 1;
    place.set(id, { x: column * (WIDE + GAP_X), y: (filled[column] - 1) * (HIGH + GAP_Y) });
  }
  const width = filled.length * (WIDE + GAP_X) - GAP_X + 4;
  const height = Math.max(...filled, 1) * (HIGH + GAP_Y);
  const lines = [...needs].flatMap(([id, others]) => [...others].map((other) => {
    const [a, b] = [place.get(other), place.get(id)];
    const [x1, y1, x2, y2] = [a.x + WIDE, a.y + HIGH / 2, b.x, b.y + HIGH / 2];
    return s("path", { class: "edge", d: `M${x1} ${y1}C${x1 + GAP_X / 2} ${y1} ${x2 - GAP_X / 2} ${y2} ${x2} ${y2}` });
  }));
  const boxes = resources.map(([id, one]) => {
    const { x, y } = place.get(id);
    return s("g", { transform: `translate(${x} ${y})` },
      s("title", {}, `${id}: ${one.Type}`),
      s("rect", { class: "node", width: WIDE, height: HIGH, rx: 8 }),
      s("text", { class: "name", x: 10, y: 19 }, short(id, 26)),
      s("text", { x: 10, y: 36 }, short(one.Type.replace("AWS::", ""), 30)));
  });
  return h("div", { class: "scroll" }, s("svg", {
    class: "chart graph", viewBox: `-2 -2 ${width} ${height}`, width, height, role: "img",
    "aria-label": `${resources.length} resources and ${lines.length} dependencies`,
  }, lines, boxes));
}

function short(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
