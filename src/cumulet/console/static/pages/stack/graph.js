// A template as a picture: each resource stands right of all that it needs.

import { graph } from "../../ui/graph.js";

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

export function templateGraph(template) {
  const resources = Object.entries(template.Resources ?? {});
  const known = new Set(resources.map(([id]) => id));
  const edges = resources.flatMap(([id, one]) => {
    const found = references([one.Properties, one.DependsOn && { DependsOn: [].concat(one.DependsOn).map((Ref) => ({ Ref })) }], known);
    return [...found].filter((other) => other !== id && known.has(other)).map((other) => ({ from: other, to: id }));
  });
  const nodes = resources.map(([id, one]) => ({ id, title: id, lines: [one.Type.replace("AWS::", "")] }));
  return graph(nodes, edges, `${nodes.length} resources and ${edges.length} dependencies`);
}
