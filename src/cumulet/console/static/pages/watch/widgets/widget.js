// One widget of a dashboard, by its type; what it shows comes when it is there.

import { call } from "../../../aws/call.js";
import { query } from "../../../aws/insights.js";
import { h, replace } from "../../../ui/dom.js";
import { cardWith, failure, notice, table } from "../../../ui/parts.js";
import { fileName, pictureCard } from "../../../ui/picture.js";
import { describe, stateBadge } from "../alarms.js";
import { markdown } from "./markdown.js";
import { metricWidget } from "./metric.js";

const ROWS_MAX = 50;

export function widget(about, range, actions, name) {
  const place = h("div", { class: "widget" }, h("div", { class: "card soft" }, "Loading…"));
  const properties = about.properties ?? {};
  const title = properties.title || { log: "Log", alarm: "Alarms", text: "Text" }[about.type] || "Metric";
  draw(about, title, range, actions, name).then((found) => replace(place, found), (cause) => replace(place, cardWith(title, actions, failure(cause))));
  return place;
}

async function draw(about, title, range, actions, name) {
  const properties = about.properties ?? {};
  if (about.type === "metric") {
    const { picture, element } = await metricWidget(properties, range, title);
    return picture ? pictureCard(title, picture, fileName(name, title), ...actions) : cardWith(title, actions, element);
  }
  if (about.type === "text") return cardWith("", actions, markdown(properties.markdown ?? ""));
  if (about.type === "alarm") return cardWith(title, actions, await alarmsOf(properties.alarms ?? []));
  if (about.type === "log") return cardWith(title, actions, await lines(properties, range));
  return cardWith(title, actions, notice(`Widgets of type ${about.type} are kept, but not drawn here.`, "warn"));
}

async function alarmsOf(arns) {
  const names = arns.map((arn) => arn.split(":alarm:").pop());
  const found = names.length ? await describe({ AlarmNames: names.slice(0, 100) }) : [];
  return table([
    { title: "State", value: (row) => stateBadge(row.StateValue), narrow: true },
    { title: "Alarm", value: (row) => h("a", { href: `#/alarms/${encodeURIComponent(row.AlarmName)}` }, row.AlarmName) },
  ], found, "No alarms.");
}

async function lines({ query: text = "" }, range) {
  const groups = [...text.matchAll(/SOURCE\s+((?:'[^']+'(?:\s*,\s*)?)+)\s*\|/gi)].flatMap(([, list]) => [...list.matchAll(/'([^']+)'/g)].map(([, one]) => one));
  const { logGroups = [] } = groups.length === 1 ? await call("logs", "DescribeLogGroups", { logGroupNamePrefix: groups[0] }) : {};
  if (groups.length === 1 && !logGroups.some((one) => one.logGroupName === groups[0])) return notice(`There is no log group ${groups[0]}.`);
  const rows = await query(groups, text.replace(/SOURCE\s+(?:'[^']+'(?:\s*,\s*)?)+\s*\|\s*/gi, ""), range);
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return table(names.map((one) => ({ title: one, value: (row) => row[one] ?? "" })), rows.slice(0, ROWS_MAX), "No lines in this time.");
}
