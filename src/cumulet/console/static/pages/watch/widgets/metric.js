// Metric widgets: their short form read, their values asked for, and shown in their view.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html#CloudWatch-Dashboard-Properties-Metrics-Array-Format

import { metric, metricData, period, whole } from "../../../aws/metrics.js";
import { chart, sized } from "../../../ui/chart.js";
import { h, s } from "../../../ui/dom.js";
import { figure, table } from "../../../ui/parts.js";
import { alarmChart, describe } from "../alarms.js";

const BAR_HIGH = 40;
const BAR_ROOM = 80;

export const plain = (value) => new Intl.NumberFormat("en", { maximumSignificantDigits: 5 }).format(value);

// The rows of `metrics` with what `.` and `...` stand for: { names, options }.
export function unfold(rows) {
  let before = [];
  return rows.map((row) => {
    const options = typeof row.at(-1) === "object" ? row.at(-1) : {};
    const given = typeof row.at(-1) === "object" ? row.slice(0, -1) : row;
    const names = given[0] === "..." ? [...before.slice(0, before.length - (given.length - 1)), ...given.slice(1)] : given.map((one, index) => (one === "." ? before[index] : one));
    if (names.length) before = names;
    return { names, options };
  });
}

function queries(properties, step) {
  return unfold(properties.metrics ?? []).map(({ names, options }, index) => {
    const Id = options.id ?? `widget${index}`;
    const shared = { Label: options.label, ReturnData: options.visible !== false };
    if (!names.length) return { Id, Expression: options.expression, Period: options.period, ...shared };
    const [namespace, name, ...rest] = names;
    const dimensions = rest.flatMap((one, at) => (at % 2 ? [] : [{ Name: one, Value: rest[at + 1] }]));
    const asked = Math.max(step, options.period ?? properties.period ?? 0);
    const query = metric(Id, namespace, name, dimensions, options.stat ?? properties.stat ?? "Average", asked);
    return { ...query, ...shared, Label: options.label ?? labelOf(name, dimensions) };
  });
}

function labelOf(name, dimensions) {
  return [name, ...dimensions.map((pair) => pair.Value)].join(" ");
}

// { picture } where it can be saved as one, else { element }.
export async function metricWidget(properties, range, title) {
  const [watched] = properties.annotations?.alarms ?? [];
  if (watched && !properties.metrics?.length) {
    const [alarm] = await describe({ AlarmNames: [watched.split(":alarm:").pop()] });
    return alarm ? { picture: await alarmChart(alarm, range, title) } : { element: h("div", { class: "empty" }, "There is no such alarm.") };
  }
  const view = properties.view ?? "timeSeries";
  const seconds = range[1] - range[0];
  const step = view === "timeSeries" ? period(seconds) : 60;
  const [start, end] = whole(range, step);
  const asked = queries(properties, step);
  if (!asked.length) return { element: h("div", { class: "empty" }, "It names no metric.") };
  const found = await metricData(asked, [start, end]);
  const series = asked.filter((one) => found[one.Id]).map((one) => ({ name: one.Label ?? found[one.Id].label, points: found[one.Id].points }));
  const lines = (properties.annotations?.horizontal ?? []).flat().filter((one) => typeof one.value === "number").map((one) => ({ value: one.value, name: one.label ?? plain(one.value) }));
  if (view === "timeSeries") return { picture: chart(title, series, { from: start * 1000, to: end * 1000, unit: plain, lines }) };
  const last = series.map((one) => [one.name, one.points.at(-1)?.[1]]);
  if (view === "table") return { element: table([{ title: "Metric", value: ([name]) => name }, { title: "Last value", value: ([, value]) => (value === undefined ? "–" : plain(value)), number: true }], last) };
  if (view === "bar" || view === "pie") return { picture: bars(title, last) };
  return { element: h("div", { class: "grid" }, last.map(([name, value]) => figure(value === undefined ? "–" : plain(value), name))) };
}

// The last value of each, one bar each; shares of a whole are shown in the same way.
function bars(title, rows) {
  const most = Math.max(1e-9, ...rows.map(([, value]) => Math.abs(value ?? 0)));
  const told = rows.map(([name, value]) => [name, value === undefined ? "no values" : plain(value)]);
  const label = `${title}. ${told.map((pair) => pair.join(": ")).join("; ")}`;
  return sized((width) => s("svg", { class: "chart bars", viewBox: `0 0 ${width} ${rows.length * BAR_HIGH + 4}`, role: "img", "aria-label": label },
    rows.map(([name, value], index) => {
      const long = Math.max(1, (Math.abs(value ?? 0) / most) * (width - BAR_ROOM));
      const top = index * BAR_HIGH;
      return [
        s("text", { x: 0, y: top + 13 }, name), s("rect", { class: "bar", x: 0, y: top + 18, width: long, height: 14, rx: 3 }),
        s("text", { x: long + 6, y: top + 29 }, told[index][1])];
    })));
}
