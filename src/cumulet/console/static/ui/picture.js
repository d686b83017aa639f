// Pictures and values as files: SVG, PNG, CSV.

import { h } from "./dom.js";
import { button, cardWith, doing } from "./parts.js";

const KEPT = ["stroke", "fill", "font-size", "font-family", "font-weight", "stroke-width", "stroke-dasharray", "opacity"];
const PNG_SCALE = 2;

export function save(name, blob) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

// A name for a file, of words.
export function fileName(...words) {
  return words.join("-").toLowerCase().replace(/[^\w.-]+/g, "-");
}

// A card with a picture that can be saved. `picture` holds an SVG.
export function pictureCard(title, picture, name, ...actions) {
  return cardWith(title, [
    ...actions,
    button("SVG", (event) => doing(event, () => saveSvg(picture, name)), "small", { "aria-label": `Save the picture ${title} as SVG` }),
    button("PNG", (event) => doing(event, () => savePng(picture, name)), "small", { "aria-label": `Save the picture ${title} as PNG` }),
  ], picture);
}

// The picture as text that stands alone: with the colours that it has now, its ground, and its legend.
export function svgText(picture) {
  const shown = picture.querySelector("svg.chart");
  const copy = shown.cloneNode(true);
  const originals = shown.querySelectorAll("*");
  copy.querySelectorAll("*").forEach((element, index) => {
    const style = getComputedStyle(originals[index]);
    for (const property of KEPT) element.setAttribute(property, style.getPropertyValue(property));
  });
  const { width, height } = shown.viewBox.baseVal;
  const entries = [...picture.querySelectorAll(".legend > span")];
  const rows = entries.length;
  const style = getComputedStyle(document.documentElement);
  const paint = getComputedStyle(picture);
  const make = (tag, settings, text) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(settings)) element.setAttribute(name, value);
    if (text) element.textContent = text;
    return element;
  };
  const left = shown.viewBox.baseVal.x;
  const top = shown.viewBox.baseVal.y;
  const whole = height + rows * 18 + (rows ? 6 : 0);
  copy.setAttribute("viewBox", `${left} ${top} ${width} ${whole}`);
  copy.setAttribute("width", width);
  copy.setAttribute("height", whole);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.prepend(make("rect", { x: left, y: top, width, height: whole, fill: groundOf(picture) || style.backgroundColor }));
  entries.forEach((entry, index) => {
    const y = top + height + index * 18 + 8;
    const line = entry.querySelector("path");
    const drawn = line && getComputedStyle(line);
    if (drawn) copy.append(make("path", { d: `M${left + 8} ${y}h26`, fill: "none", stroke: drawn.stroke, "stroke-width": 2, "stroke-dasharray": drawn.strokeDasharray }));
    copy.append(make("text", { x: left + 42, y: y + 4, fill: paint.color, "font-size": 12, "font-family": paint.fontFamily }, entry.textContent));
  });
  return new XMLSerializer().serializeToString(copy);
}

function groundOf(element) {
  for (let one = element; one; one = one.parentElement) {
    const found = getComputedStyle(one).backgroundColor;
    if (found && !/, 0\)$|transparent/.test(found)) return found;
  }
  return "";
}

export function saveSvg(picture, name) {
  save(`${name}.svg`, new Blob([svgText(picture)], { type: "image/svg+xml" }));
}

export async function savePng(picture, name) {
  const image = new Image();
  const url = URL.createObjectURL(new Blob([svgText(picture)], { type: "image/svg+xml" }));
  try {
    image.src = url;
    await image.decode();
    const canvas = h("canvas", { width: image.naturalWidth * PNG_SCALE, height: image.naturalHeight * PNG_SCALE });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((resolve) => { canvas.toBlob(resolve, "image/png"); });
    save(`${name}.png`, blob);
  } finally {
    URL.revokeObjectURL(url);
  }
}

export function saveCsv(name, rows) {
  const cell = (value) => (/[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
  save(`${name}.csv`, new Blob([rows.map((row) => row.map(cell).join(",")).join("\n")], { type: "text/csv" }));
}
