// Pictures of series over time, as SVG. Lines differ by dashes as well as by colour.

import { h, s } from "./dom.js";

const WIDTH = 640;
const HEIGHT = 200;
const LEFT = 52;
const RIGHT = 8;
const TOP = 10;
const BOTTOM = 24;

// `series`: { name, points: [[epoch ms, value]] }. `unit` writes a value in words.
export function chart(title, series, { unit = String, from, to, height = HEIGHT } = {}) {
  const all = series.flatMap((one) => one.points);
  const start = from ?? Math.min(...all.map(([time]) => time));
  const end = to ?? Math.max(...all.map(([time]) => time));
  const top = niceTop(Math.max(0, ...all.map(([, value]) => value)));
  const x = (time) => LEFT + ((time - start) / Math.max(1, end - start)) * (WIDTH - LEFT - RIGHT);
  const y = (value) => height - BOTTOM - (value / top) * (height - TOP - BOTTOM);
  const marks = [0, 0.5, 1].map((part) => part * top);
  const times = [0, 0.25, 0.5, 0.75, 1].map((part) => start + part * (end - start));
  const picture = s("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": summary(title, series, unit) },
    marks.map((value) => [
      s("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }),
      s("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, unit(value)),
    ]),
    all.length > 0 && times.map((time, index) => s("text", {
      x: x(time), y: height - 6, "text-anchor": index === 0 ? "start" : index === 4 ? "end" : "middle",
    }, clock(time, end - start))),
    series.map((one, index) => drawn(one.points, x, y, index)));
  const legend = h("div", { class: "legend" }, series.map((one, index) => h("span", {},
    s("svg", { class: "chart", viewBox: "0 0 26 8", "aria-hidden": "true" }, s("path", { class: `line tone${index % 4} dash${index % 4}`, d: "M0 4H26" })), one.name)));
  return h("figure", { class: "plot" }, picture, series.length > 1 && legend, !all.length && h("p", { class: "soft" }, "No values in this time."));
}

function drawn(points, x, y, index) {
  if (points.length === 1) {
    const [[time, value]] = points;
    return s("circle", { class: `line tone${index % 4}`, cx: x(time), cy: y(value), r: 3 });
  }
  const path = points.map(([time, value], at) => `${at ? "L" : "M"}${x(time).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  return s("path", { class: `line tone${index % 4} dash${index % 4}`, d: path });
}

function niceTop(value) {
  if (value <= 0) return 1;
  const step = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((one) => one * step).find((one) => one >= value);
}

function clock(time, span) {
  const date = new Date(time);
  const pad = (number) => String(number).padStart(2, "0");
  if (span > 172800000) return `${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${pad(date.getHours())}:${pad(date.getMinutes())}${span < 300000 ? `:${pad(date.getSeconds())}` : ""}`;
}

function summary(title, series, unit) {
  const parts = series.map((one) => {
    const last = one.points.at(-1);
    return `${one.name}: ${last ? unit(last[1]) : "no values"}`;
  });
  return `${title}. ${parts.join("; ")}`;
}
