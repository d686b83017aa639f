// The dashboard of a stage: calls, latency, errors, and the share of slow answers, over a range.

import { call } from "../../aws/call.js";
import { chart } from "../../ui/chart.js";
import { save, saveSvg } from "../../ui/picture.js";
import { h, replace } from "../../ui/dom.js";
import { button, card, cardWith, facts, failure, field, select } from "../../ui/parts.js";
import { count, millis } from "../../ui/words.js";

const RANGES = [["1", "1 hour"], ["3", "3 hours"], ["24", "1 day"], ["168", "7 days"], ["720", "30 days"]];
const PERIODS_MAX = 180;
const STEPS = [60, 300, 900, 3600, 21600, 86400];

function period(seconds) {
  return STEPS.find((step) => seconds / step <= PERIODS_MAX) ?? STEPS.at(-1);
}

async function ask(dimensions, from, to, threshold) {
  const step = period(to - from);
  const query = (Id, MetricName, Stat, Period = step) => ({
    Id, MetricStat: { Metric: { Namespace: "AWS/ApiGateway", MetricName, Dimensions: dimensions }, Period, Stat },
  });
  const start = Math.floor(from / step) * step;
  const end = Math.ceil(to / step) * step;
  const whole = Math.ceil((end - start) / 60) * 60;
  const answer = await call("monitoring", "GetMetricData", {
    StartTime: start, EndTime: end, ScanBy: "TimestampAscending",
    MetricDataQueries: [
      query("calls", "Count", "Sum"), query("bad4", "4XXError", "Sum"), query("bad5", "5XXError", "Sum"),
      query("p50", "Latency", "p50"), query("p95", "Latency", "p95"), query("p99", "Latency", "p99.8"),
      query("slow", "Latency", `PR(${threshold}:)`, whole),
    ],
  });
  const found = {};
  for (const { Id, Timestamps, Values } of answer.MetricDataResults) {
    found[Id] = Timestamps.map((time, at) => [typeof time === "number" ? time * 1000 : new Date(time).getTime(), Values[at]]);
  }
  return { found, start, end };
}

export function dashboard(about, stages) {
  let stage = stages[0]?.stageName;
  let hours = 3;
  const place = h("div", { "aria-live": "polite" });
  const threshold = h("input", { type: "number", min: "1", value: 1000, onchange: draw });
  const method = h("input", { placeholder: "GET /scores/{id}", spellcheck: "false", onchange: draw });
  const from = h("input", { type: "datetime-local", onchange: draw });
  const to = h("input", { type: "datetime-local", onchange: draw });

  function dimensions() {
    const found = [{ Name: "ApiName", Value: about.name }, { Name: "Stage", Value: stage }];
    const [verb, path] = method.value.trim().split(/\s+/);
    if (verb && path) found.push({ Name: "Method", Value: verb }, { Name: "Resource", Value: path });
    return found;
  }
  function range() {
    const end = to.value ? new Date(to.value).getTime() / 1000 : Date.now() / 1000;
    const start = from.value ? new Date(from.value).getTime() / 1000 : end - hours * 3600;
    return [start, end];
  }
  async function draw() {
    if (!stage) return replace(place, h("div", { class: "empty" }, "The API has no stage yet."));
    try {
      const limit = Number(threshold.value);
      const [first, last] = range();
      const { found, start, end } = await ask(dimensions(), first, last, limit);
      return replace(place, shown(found, start * 1000, end * 1000, limit));
    } catch (cause) {
      return replace(place, failure(cause));
    }
  }
  function shown(found, start, end, limit) {
    const sum = (points) => (points ?? []).reduce((total, [, value]) => total + value, 0);
    const slow = found.slow?.length ? found.slow.at(-1)[1] : 0;
    const calls = sum(found.calls);
    const name = `${about.name}-${stage}`;
    const picture = (title, series, unit) => {
      const drawn = chart(title, series, { unit, from: start, to: end });
      return cardWith(title, button("Save picture", () => saveSvg(drawn, `${name}-${title.toLowerCase().replaceAll(" ", "-")}`), "small"), drawn);
    };
    return h("div", {},
      card("In this time", facts([
        ["Calls", count(calls)],
        ["4xx, 5xx", `${count(sum(found.bad4))}, ${count(sum(found.bad5))}`],
        [`Answers over ${count(limit)} ms`, `${slow.toFixed(2)} % (target: at most 0.2 %) ${calls === 0 ? "" : slow <= 0.2 ? "✓ met" : "✗ missed"}`],
      ])),
      h("div", { class: "wide" },
        picture("API calls", [{ name: "Calls", points: found.calls ?? [] }], count),
        picture("Latency", [{ name: "half under", points: found.p50 ?? [] }, { name: "95 % under", points: found.p95 ?? [] }, { name: "99.8 % under", points: found.p99 ?? [] }], millis),
        picture("Errors", [{ name: "4xx", points: found.bad4 ?? [] }, { name: "5xx", points: found.bad5 ?? [] }], count)),
      h("p", {}, button("Save the values (CSV)", () => save(`${name}.csv`, new Blob([csv(found)], { type: "text/csv" })))));
  }
  draw();
  return h("div", {},
    h("section", { class: "card" }, h("div", { class: "row" },
      field("Stage", select(stages.map((one) => one.stageName), stage, { onchange: (event) => { stage = event.target.value; draw(); } })),
      field("Method and resource (empty: all)", method),
      field("The last", select(RANGES, "3", { onchange: (event) => { hours = Number(event.target.value); from.value = to.value = ""; draw(); } })),
      field("or from", from), field("to", to),
      field("Slow is over (ms)", threshold))),
    place);
}

function csv(found) {
  const times = [...new Set(Object.values(found).flat().map(([time]) => time))].sort();
  const names = Object.keys(found).filter((name) => name !== "slow");
  const value = (name, time) => found[name].find(([at]) => at === time)?.[1] ?? "";
  return [["time", ...names].join(","), ...times.map((time) => [new Date(time).toISOString(), ...names.map((name) => value(name, time))].join(","))].join("\n");
}
