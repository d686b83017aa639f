// What the month would have cost on AWS: by service and by resource, as Cost Explorer answers it.

import { call } from "../aws/call.js";
import { h, replace, s } from "../ui/dom.js";
import { card, failure, figure, notice, select, table } from "../ui/parts.js";
import { dollars, quantity } from "../ui/words.js";

const MONTHS = 14;
const BARS = 12;
const ROW = 40;
const WIDTH = 640;

export const ESTIMATE = "Estimates of what AWS would have charged, by its list prices: no bill.";

function months() {
  const now = new Date();
  return Array.from({ length: MONTHS }, (_, back) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1)).toISOString().slice(0, 7));
}

function period(month) {
  const [year, number] = month.split("-").map(Number);
  return { Start: `${month}-01`, End: new Date(Date.UTC(year, number, 1)).toISOString().slice(0, 10) };
}

// The groups of a month, the dearest first, and what is told of prices.
async function ask(month, ...keys) {
  const input = {
    TimePeriod: period(month), Granularity: "MONTHLY", Metrics: ["UnblendedCost", "UsageQuantity"], Filter: {},
    GroupBy: keys.map((Key) => ({ Type: "DIMENSION", Key })),
  };
  const groups = [];
  let prices = [];
  do {
    const answer = await call("ce", "GetCostAndUsageWithResources", input);
    groups.push(...answer.ResultsByTime.flatMap((one) => one.Groups));
    prices = answer.DimensionValueAttributes;
    input.NextPageToken = answer.NextPageToken;
  } while (input.NextPageToken);
  const rows = groups.map((one) => ({ keys: one.Keys, usd: Number(one.Metrics.UnblendedCost.Amount), used: one.Metrics.UsageQuantity }));
  return { rows: rows.sort((a, b) => b.usd - a.usd), prices };
}

function total(rows) {
  return rows.reduce((sum, row) => sum + row.usd, 0);
}

// This month's total, for the first page.
export async function monthsTotal() {
  return total((await ask(months()[0], "SERVICE")).rows);
}

// The whole range of the dates of the prices, and how sure they are.
function dates(prices) {
  const dated = prices.map((one) => one.Attributes).filter((one) => one.pricesFrom);
  if (!dated.length) return "";
  const from = dated.map((one) => one.pricesFrom).sort()[0];
  const to = dated.map((one) => one.pricesTo).sort().at(-1);
  const sum = (name) => dated.reduce((all, one) => all + Number(one[name]), 0);
  return [
    ` Prices are of ${from === to ? from : `${from} to ${to}`}.`,
    sum("unchecked") > 0 && ` ${sum("unchecked")} of them were not checked against AWS's pages.`,
    sum("elsewhere") > 0 && ` ${sum("elsewhere")} are those of us-east-1, for want of the region's own.`,
  ];
}

function bars(rows) {
  const shown = rows.filter((row) => row.usd > 0).slice(0, BARS);
  if (!shown.length) return undefined;
  const most = shown[0].usd;
  const words = shown.map((row) => `${row.keys[0]} ${dollars(row.usd)}`).join("; ");
  return h("figure", { class: "plot" }, s("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${shown.length * ROW}`, role: "img", "aria-label": `Costs by service. ${words}` },
    shown.map((row, index) => [
      s("text", { x: 0, y: index * ROW + 14 }, row.keys[0]),
      s("text", { x: WIDTH, y: index * ROW + 14, "text-anchor": "end" }, dollars(row.usd)),
      s("rect", { class: "bar", x: 0, y: index * ROW + 20, width: Math.max(2, (WIDTH * row.usd) / most), height: 10, rx: 3 }),
    ])));
}

function byService(rows) {
  return table([
    { title: "Service", value: (row) => row.keys[0] },
    { title: "Usage type", value: (row) => row.keys[1] },
    { title: "Amount", value: (row) => quantity(row.used.Amount, row.used.Unit), number: true },
    { title: "USD", value: (row) => dollars(row.usd), number: true },
  ], rows);
}

function byResource(rows) {
  return table([
    { title: "Resource", value: (row) => h("span", { class: "cut", title: row.keys[0] }, row.keys[0]) },
    { title: "Service", value: (row) => row.keys[1] },
    { title: "USD", value: (row) => dollars(row.usd), number: true },
  ], rows.slice(0, 500));
}

async function drawn(month) {
  const [services, types, resources] = await Promise.all([ask(month, "SERVICE"), ask(month, "SERVICE", "USAGE_TYPE"), ask(month, "RESOURCE_ID", "SERVICE")]);
  if (!services.rows.length) return notice(`Nothing was used in ${month}. Call a function, a table or an API, and its cost shows up here.`);
  return [
    notice([ESTIMATE, dates(services.prices)]),
    h("div", { class: "grid" }, figure(dollars(total(services.rows)), `in ${month}, estimated`)),
    card("By service", bars(services.rows)),
    card("By usage", byService(types.rows)),
    card("By resource", byResource(resources.rows)),
  ];
}

export default async function costs(month) {
  const known = months();
  const chosen = known.includes(month) ? month : known[0];
  const place = h("div", { "aria-live": "polite" });
  async function show(wanted) {
    replace(place, h("p", { class: "soft" }, "Loading…"));
    try {
      replace(place, await drawn(wanted));
    } catch (cause) {
      replace(place, failure(cause));
    }
  }
  await show(chosen);
  return h("div", {},
    h("div", { class: "head" }, h("h1", {}, "Costs"), h("span", { class: "soft" }, "what AWS would have charged"),
      h("div", { class: "actions" }, select(known, chosen, {
        "aria-label": "Month", onchange: (event) => {
          history.replaceState(null, "", `#/costs/${event.target.value}`);
          show(event.target.value);
        },
      }))),
    place);
}
