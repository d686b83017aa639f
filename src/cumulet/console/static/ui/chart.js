// Pictures of series over time, as SVG. Lines differ by dashes as well as by colour.

import { h, replace, s } from "./dom.js";
import { table } from "./parts.js";
import { when } from "./words.js";

const WIDTHS = [260, 1200];
const FIRST = 560;
const NARROW = 420;
const HEIGHT = 200;
const LEFT = 52;
const RIGHT = 10;
const TOP = 12;
const BOTTOM = 24;
const TONES = 4;
const ROWS_MAX = 500;

// A figure whose picture is drawn anew as wide as its place is, so that its words keep their size.
export function sized(draw, ...under) {
  const figure = h("figure", { class: "plot" }, draw(FIRST), under);
  let drawnAt = FIRST;
  new ResizeObserver(([entry]) => {
    const width = Math.round(Math.min(WIDTHS[1], Math.max(WIDTHS[0], entry.contentRect.width)));
    if (!entry.contentRect.width || Math.abs(width - drawnAt) < 4) return;
    drawnAt = width;
    figure.firstChild.replaceWith(draw(width));
  }).observe(figure);
  return figure;
}

// `series`: { name, points: [[epoch ms, value]] }. `unit` writes a value in words; `from` and `to` are
// epoch ms. `lines`: { value, name } are drawn across, as a threshold is.
export function chart(title, series, { unit = String, from, to, height = HEIGHT, lines = [] } = {}) {
  const all = series.flatMap((one) => one.points);
  const values = [...all.map(([, value]) => value), ...lines.map((one) => one.value)];
  const frame = {
    start: from ?? Math.min(...all.map(([time]) => time)), end: to ?? Math.max(...all.map(([time]) => time)),
    top: niceTop(Math.max(0, ...values)), bottom: -niceTop(-Math.min(0, ...values), 0), height, unit, lines, isTimed: all.length > 0 || from !== undefined,
  };
  const readout = h("p", { class: "readout soft" }, all.length ? "" : "No values in this time.");
  const label = summary(title, series, unit, lines);
  return sized((width) => picture(series, { ...frame, width, label }, readout), legend(series), readout, all.length > 0 && asTable(series, unit));
}

function picture(series, frame, readout) {
  const { start, end, top, bottom, height, width, unit, lines, isTimed, label } = frame;
  const x = (time) => LEFT + ((time - start) / Math.max(1, end - start)) * (width - LEFT - RIGHT);
  const y = (value) => height - BOTTOM - ((value - bottom) / (top - bottom)) * (height - TOP - BOTTOM);
  const parts = width < NARROW ? [0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1];
  const finger = s("line", { class: "finger", y1: TOP, y2: height - BOTTOM, x1: -9, x2: -9 });
  const drawing = s("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
    [0, 0.5, 1].map((part) => bottom + part * (top - bottom)).map((value) => [
      s("line", { class: "axis", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
      s("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, unit(value)),
    ]),
    parts.map((part) => s("text", {
      x: x(start + part * (end - start)), y: height - 6, "text-anchor": part === 0 ? "start" : part === 1 ? "end" : "middle",
    }, isTimed ? clock(start + part * (end - start), end - start) : "")),
    lines.map((one) => [
      s("line", { class: "threshold", x1: LEFT, x2: width - RIGHT, y1: y(one.value), y2: y(one.value) }),
      s("text", { class: "threshold-name", x: width - RIGHT, y: y(one.value) < TOP + 14 ? y(one.value) + 13 : y(one.value) - 5, "text-anchor": "end" }, one.name)]),
    series.map((one, index) => drawn(one.points, x, y, index)), finger);
  if (series.some((one) => one.points.length)) follow(drawing, finger, readout, series, { x, unit, width });
  return drawing;
}

function legend(series) {
  return series.length > 1 && h("div", { class: "legend" }, series.map((one, index) => h("span", {},
    s("svg", { class: "key", viewBox: "0 0 26 8", "aria-hidden": "true" }, s("path", { class: style(index), d: "M0 4H26" })), one.name)));
}

function style(index) {
  return `line tone${index % TONES} dash${Math.floor(index / TONES + index) % TONES}`;
}

// Under the pointer: the moment, and what each series was.
function follow(drawing, finger, readout, series, { x, unit, width }) {
  const times = [...new Set(series.flatMap((one) => one.points.map(([time]) => time)))].sort((a, b) => a - b);
  drawing.addEventListener("pointermove", (event) => {
    const box = drawing.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * width;
    const time = times.reduce((best, one) => (Math.abs(x(one) - at) < Math.abs(x(best) - at) ? one : best));
    finger.setAttribute("x1", x(time));
    finger.setAttribute("x2", x(time));
    const told = series.map((one) => [one.name, one.points.find(([other]) => other === time)?.[1]]).filter(([, value]) => value !== undefined);
    readout.textContent = `${when(time)}: ${told.map(([name, value]) => `${name} ${unit(value)}`).join(", ")}`;
  });
}

// The same values as a table, for who reads them rather than looks at them.
function asTable(series, unit) {
  const place = h("div");
  const details = h("details", { class: "more" }, h("summary", {}, "Values"), place);
  details.addEventListener("toggle", () => {
    if (!details.open || place.firstChild) return;
    const times = [...new Set(series.flatMap((one) => one.points.map(([time]) => time)))].sort((a, b) => b - a);
    const maps = series.map((one) => new Map(one.points));
    replace(place, table([
      { title: "Time", value: (time) => when(time), narrow: true },
      ...series.map((one, index) => ({ title: one.name, value: (time) => (maps[index].has(time) ? unit(maps[index].get(time)) : "–"), number: true })),
    ], times.slice(0, ROWS_MAX)));
  });
  return details;
}

function drawn(points, x, y, index) {
  const dots = points.length < 3 ? points.map(([time, value]) => s("circle", { class: `dot tone${index % TONES}`, cx: x(time), cy: y(value), r: 3 })) : [];
  const path = points.map(([time, value], at) => `${at ? "L" : "M"}${x(time).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  return [points.length > 1 && s("path", { class: style(index), d: path }), dots];
}

function niceTop(value, least = 1) {
  if (value <= 0) return least;
  const step = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((one) => one * step).find((one) => one >= value * 0.9999999) ?? 10 * step;
}

function clock(time, span) {
  const date = new Date(time);
  const pad = (number) => String(number).padStart(2, "0");
  if (span > 172800000) return `${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${pad(date.getHours())}:${pad(date.getMinutes())}${span < 300000 ? `:${pad(date.getSeconds())}` : ""}`;
}

function summary(title, series, unit, lines) {
  const parts = series.map((one) => {
    const last = one.points.at(-1);
    return `${one.name}: ${last ? unit(last[1]) : "no values"}`;
  });
  return `${title}. ${[...parts, ...lines.map((one) => one.name)].join("; ")}`;
}
