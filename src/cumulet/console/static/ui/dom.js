// Elements from function calls: h("button", { class: "quiet", onclick }, "Text", child).

export function h(tag, settings, ...children) {
  const element = document.createElement(tag);
  apply(element, settings);
  append(element, children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

export function s(tag, settings, ...children) {
  const element = document.createElementNS(SVG, tag);
  apply(element, settings);
  append(element, children);
  return element;
}

function apply(element, settings) {
  for (const [name, value] of Object.entries(settings ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "selected") element[name] = value;
    else if (name === "width%") element.style.width = `${value}%`;
    else if (name === "left%") element.style.marginLeft = `${value}%`;
    else element.setAttribute(name, value === true ? "" : value);
  }
}

function append(element, children) {
  for (const child of children.flat(9)) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

export function replace(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

let drawn = 0;

// An id that no other element of the page has, to tie labels to fields.
export function freshId(prefix = "e") {
  drawn += 1;
  return `${prefix}${drawn}`;
}
