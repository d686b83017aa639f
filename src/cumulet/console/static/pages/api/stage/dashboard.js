// The dashboard of a stage: calls, latency, errors, and the share of slow answers, over a range.

import { chart } from "../../../ui/chart.js";
import { h, replace } from "../../../ui/dom.js";
import { badge, button, card, doing, failure, field, figure, select, table } from "../../../ui/parts.js";
import { fileName, pictureCard, saveCsv } from "../../../ui/picture.js";
import { rangePicker } from "../../../ui/range.js";
import { count, millis } from "../../../ui/words.js";
import { canFilter, counted, logOf } from "./access_log.js";
import { figuresOf, measuredMethods, PERCENTILES, scopeOf, seriesOf } from "./figures.js";

const METHODS_MAX = 40;
const percent = (value) => (value === undefined ? "–" : `${Number(value.toFixed(3))} %`);
const name = (method) => (method ? `${method.verb} ${method.path}` : "All methods");

export function dashboard(api, stages) {
  if (!stages.length) return h("div", { class: "card empty" }, "The API has no stage yet: deploy it.");
  const place = h("div", { "aria-live": "polite" });
  const stage = select(stages.map((one) => one.stageName), stages[0].stageName, { onchange: look });
  const method = select([["", "All methods"]], "", { onchange: draw });
  const threshold = h("input", { type: "number", min: "1", step: "1", value: 1000, onchange: draw });
  const target = h("input", { type: "number", min: "0", max: "100", step: "any", value: 99.8, onchange: draw });
  const range = rangePicker(draw);
  let methods = [];
  let turn = 0;

  // Methods show up in CloudWatch when they are called first: each look asks for them anew.
  async function look() {
    const before = name(methods[method.value]);
    methods = await measuredMethods(api, stage.value).catch(() => []);
    const kept = methods.findIndex((one) => name(one) === before);
    replace(method, [["", "All methods"], ...methods.map((one, index) => [String(index), name(one)])].map(([value, text]) => h("option", { value }, text)));
    method.value = kept < 0 ? "" : String(kept);
    await draw();
  }
  async function draw() {
    const mine = ++turn;
    const chosen = methods[method.value];
    const [limit, wanted] = [Number(threshold.value), Number(target.value)];
    try {
      if (!(limit >= 1)) throw new Error("The limit is a number of milliseconds.");
      const span = range.range();
      const scope = scopeOf(api, stage.value, chosen);
      const listed = methods.slice(0, METHODS_MAX);
      const [series, [own, ...others]] = await Promise.all([
        seriesOf(scope, span, limit),
        figuresOf([scope, ...(chosen ? [] : listed.map((one) => scopeOf(api, stage.value, one)))], span, limit),
      ]);
      if (mine !== turn) return;
      const about = { api, stage: stages.find((one) => one.stageName === stage.value), chosen, span, limit, wanted };
      replace(place, head(about, own), chosen ? undefined : byMethod(about, listed, others, open), pictures(about, series));
    } catch (cause) {
      if (mine === turn) replace(place, failure(cause));
    }
  }
  function open(one) {
    method.value = String(methods.indexOf(one));
    draw();
    method.focus();
  }
  look();
  return h("div", {},
    h("section", { class: "card" },
      h("div", { class: "row" }, field("Stage", stage), field("Method", method), field("Slow is over (ms)", threshold), field("Target: not slow (%)", target), button("Refresh", look)),
      h("div", { class: "gap" }), range),
    place);
}

function verdict(under, wanted) {
  if (under === undefined) return badge("no calls");
  return under >= wanted ? badge("✓ target met", "good") : badge("✗ target missed", "bad");
}

function head({ stage, chosen, span, limit, wanted }, own) {
  const log = logOf(stage);
  const exact = h("span", { "aria-live": "polite" });
  const check = (event) => doing(event, async () => {
    const { all, over } = await counted(log, chosen, span, limit);
    replace(exact, ` Access log: ${count(over)} of ${count(all)} calls, ${percent(all ? 100 - (100 * over) / all : undefined)} within ${count(limit)} ms. `, verdict(all ? 100 - (100 * over) / all : undefined, wanted));
  });
  return h("div", {},
    h("div", { class: "grid" },
      figure(count(own.calls), "API calls"),
      ...PERCENTILES.slice(0, 1).map((text, index) => figure(millis(own.percentiles[index]), `Latency, ${text}`)),
      figure(millis(own.percentiles[3]), "Latency, p99.8"),
      figure(count(own.bad4), "4xx"), figure(count(own.bad5), "5xx")),
    card("Answers in time",
      h("p", {}, h("b", {}, percent(own.under)), ` of ${count(own.all)} answers took at most ${count(limit)} ms; the target is ${wanted} %. ${count(own.over)} took longer. `, verdict(own.under, wanted)),
      h("p", { class: "soft" }, `Counted in the metric Latency, TC(${limit}:) of each minute (of five for more than 7 days): exact while such a time has at most 150 different latencies; past that, those within 1 % of the limit may count on the wrong side.`),
      log && canFilter(log, chosen) ? h("p", {}, button("Count in the access log", check, "small"), exact)
        : h("p", { class: "soft" }, "An access log with $context.responseLatency lets it be counted call by call.")));
}

function byMethod({ limit, wanted }, methods, figures, open) {
  return card("By method", table([
    { title: "Method", value: ([one]) => h("button", { type: "button", class: "button small mono", onclick: () => open(one) }, name(one)) },
    { title: "Calls", value: ([, own]) => count(own.calls), number: true },
    ...PERCENTILES.map((text, index) => ({ title: text, value: ([, own]) => millis(own.percentiles[index]), number: true })),
    { title: "4xx", value: ([, own]) => count(own.bad4), number: true },
    { title: "5xx", value: ([, own]) => count(own.bad5), number: true },
    { title: `Within ${count(limit)} ms`, value: ([, own]) => percent(own.under), number: true },
    { title: "Target", value: ([, own]) => verdict(own.under, wanted), narrow: true },
  ], methods.map((one, index) => [one, figures[index]]), "No method was counted by itself: turn on “Metrics for each method” in the stage's settings."));
}

function pictures({ api, stage, chosen, limit, wanted }, found) {
  const [from, to] = [found.start * 1000, found.end * 1000];
  const file = fileName(api.name, stage.stageName, ...(chosen ? [name(chosen)] : []));
  const picture = (title, series, unit, more) => pictureCard(title, chart(`${title}, ${name(chosen)}`, series, { unit, from, to, ...more }), `${file}-${fileName(title)}`);
  // A line far above all values would press them to the ground.
  const highest = Math.max(0, ...PERCENTILES.flatMap((_, index) => (found[`p${index}`] ?? []).map(([, value]) => value)));
  const slow = highest > limit / 4 ? [{ value: limit, name: `slow: ${count(limit)} ms` }] : [];
  const rows = () => {
    const times = [...new Set(Object.values(found).filter(Array.isArray).flat().map(([time]) => time))].sort((a, b) => a - b);
    const at = (id, time) => found[id]?.find(([other]) => other === time)?.[1] ?? "";
    return [["time", "calls", "4xx", "5xx", ...PERCENTILES, `over ${limit} ms`], ...times.map((time) => [new Date(time).toISOString(), ...["calls", "bad4", "bad5", "p0", "p1", "p2", "p3", "slow"].map((id) => at(id, time))])];
  };
  return h("div", {},
    h("div", { class: "wide" },
      picture("API calls", [{ name: "Calls", points: found.calls ?? [] }], count),
      picture("Latency", PERCENTILES.map((text, index) => ({ name: text, points: found[`p${index}`] ?? [] })), millis, { lines: slow }),
      picture("Errors", [{ name: "4xx", points: found.bad4 ?? [] }, { name: "5xx", points: found.bad5 ?? [] }], count),
      picture("Slow answers", [{ name: `Over ${limit} ms`, points: found.share }], percent, { lines: [{ value: Number((100 - wanted).toFixed(6)), name: `target: ${percent(100 - wanted)}` }] })),
    h("p", {}, button("Save the values (CSV)", () => saveCsv(file, rows()))));
}
