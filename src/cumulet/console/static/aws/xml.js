// XML answers as plain objects: a name that comes twice, or a list of `member`, is an array.

export function fromXml(text) {
  const tree = new DOMParser().parseFromString(text, "application/xml");
  return valueOf(tree.documentElement);
}

function valueOf(element) {
  const children = [...element.children];
  if (!children.length) return element.textContent;
  if (children.every((child) => child.localName === "member")) return children.map(valueOf);
  const found = {};
  for (const child of children) {
    const name = child.localName;
    const value = valueOf(child);
    if (!(name in found)) found[name] = value;
    else if (Array.isArray(found[name])) found[name].push(value);
    else found[name] = [found[name], value];
  }
  return found;
}
