// Pictures and values as files: SVG, PNG, CSV.

import { h, s } from "./dom.js";
import { button, cardWith, doing } from "./parts.js";

const KEPT = ["stroke", "fill", "font-size", "font-family", "font-weight", "stroke-width", "stroke-dasharray", "opacity"];
const PNG_SCALE = 2;
const TITLE_HIGH = 30;
const ENTRY_HIGH = 18;
const EDGE = 10;

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
    button("SVG", (event) => doing(event, () => saveSvg(picture, name, title)), "small", { "aria-label": `Save the picture ${title} as SVG` }),
    button("PNG", (event) => doing(event, () => savePng(picture, name, title)), "small", { "aria-label": `Save the picture ${title} as PNG` }),
  ], picture);
}

// The picture as text that stands alone: with its title and legend, on its ground, in the colours that it has now.
export function svgText(picture, title) {
  const shown = picture.querySelector("svg.chart");
  const copy = shown.cloneNode(true);
  const originals = shown.querySelectorAll("*");
  copy.querySelectorAll("*").forEach((element, index) => {
    const style = getComputedStyle(originals[index]);
    for (const property of KEPT) element.setAttribute(property, style.getPropertyValue(property));
  });
  copy.querySelector(".finger")?.remove();
  const { x, y, width, height } = shown.viewBox.baseVal;
  const paint = getComputedStyle(picture);
  const text = (at, size, words, weight = 400) => s("text", { x: x + at[0], y: y + at[1], fill: paint.color, "font-size": size, "font-weight": weight, "font-family": paint.fontFamily }, words);
  const entries = [...picture.querySelectorAll(".legend > span")];
  const box = { x: x - EDGE, y: y - TITLE_HIGH, width: width + 2 * EDGE, height: TITLE_HIGH + height + entries.length * ENTRY_HIGH + EDGE };
  copy.setAttribute("viewBox", `${box.x} ${box.y} ${box.width} ${box.height}`);
  copy.setAttribute("width", box.width);
  copy.setAttribute("height", box.height);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.prepend(s("rect", { ...box, fill: groundOf(picture) }), text([0, -10], 14, title, 600));
  entries.forEach((entry, index) => {
    const low = height + index * ENTRY_HIGH + 8;
    const line = getComputedStyle(entry.querySelector("path"));
    copy.append(s("path", { d: `M${x} ${y + low}h26`, fill: "none", stroke: line.stroke, "stroke-width": 2, "stroke-dasharray": line.strokeDasharray }), text([34, low + 4], 12, entry.textContent));
  });
  return new XMLSerializer().serializeToString(copy);
}

function groundOf(element) {
  for (let one = element; one; one = one.parentElement) {
    const found = getComputedStyle(one).backgroundColor;
    if (found && !/, 0\)$|transparent/.test(found)) return found;
  }
  return getComputedStyle(document.documentElement).backgroundColor;
}

export function saveSvg(picture, name, title) {
  save(`${name}.svg`, new Blob([svgText(picture, title)], { type: "image/svg+xml" }));
}

export async function savePng(picture, name, title) {
  const image = new Image();
  const url = URL.createObjectURL(new Blob([svgText(picture, title)], { type: "image/svg+xml" }));
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
