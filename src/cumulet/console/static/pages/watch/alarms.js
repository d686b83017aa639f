// Alarms: their states and why, their history, and what they watch as a picture.

import { call, everything } from "../../aws/call.js";
import { metricData, metric, period, whole } from "../../aws/metrics.js";
import { refresh } from "../../main.js";
import { chart } from "../../ui/chart.js";
import { ask, confirmDeletion } from "../../ui/dialog.js";
import { h, replace } from "../../ui/dom.js";
import { badge, button, card, doing, facts, failure, field, searchable, select, table } from "../../ui/parts.js";
import { fileName, pictureCard } from "../../ui/picture.js";
import { rangePicker } from "../../ui/range.js";
import { pretty, when } from "../../ui/words.js";
import { editComposite, editMetric } from "./alarm_form.js";

const STATES = { OK: ["✓ OK", "good"], ALARM: ["✗ In alarm", "bad"], INSUFFICIENT_DATA: ["? Not enough data", "warn"] };
const SIGNS = {
  GreaterThanThreshold: ">", GreaterThanOrEqualToThreshold: "≥", LessThanThreshold: "<", LessThanOrEqualToThreshold: "≤",
  LessThanLowerOrGreaterThanUpperThreshold: "outside", LessThanLowerThreshold: "below", GreaterThanUpperThreshold: "above",
};
const HISTORY_MAX = 100;

export function stateBadge(state) {
  const [text, tone] = STATES[state] ?? [state, ""];
  return badge(text, tone);
}

// Alarms of both kinds, as one list. `input` narrows it, by names or by a state.
export async function describe(input = {}) {
  const found = await everything(
    (NextToken) => call("monitoring", "DescribeAlarms", { AlarmTypes: ["MetricAlarm", "CompositeAlarm"], ...input, NextToken }),
    (a) => [...(a.MetricAlarms ?? []), ...(a.CompositeAlarms ?? [])], (a) => a.NextToken);
  return found.sort((a, b) => a.AlarmName.localeCompare(b.AlarmName));
}

export const isComposite = (alarm) => alarm.AlarmRule !== undefined;

function conditionOf(alarm) {
  if (isComposite(alarm)) return h("code", {}, alarm.AlarmRule);
  const what = alarm.MetricName ? `${alarm.MetricName} ${alarm.Statistic ?? alarm.ExtendedStatistic}` : alarm.Metrics?.find((one) => one.ReturnData !== false)?.Expression ?? "math";
  return `${what} ${SIGNS[alarm.ComparisonOperator] ?? alarm.ComparisonOperator} ${alarm.Threshold}, ${alarm.DatapointsToAlarm ?? alarm.EvaluationPeriods} of ${alarm.EvaluationPeriods} times ${alarm.Period ?? 60} s`;
}

export default async function alarms(name) {
  if (name) return one(name);
  const found = await describe();
  return h("div", {},
    h("div", { class: "head" }, h("h1", {}, "Alarms"), h("div", { class: "actions" },
      button("Create composite alarm", () => editComposite()), button("Create alarm", () => editMetric(), "main-one"))),
    h("div", { class: "card" }, searchable([
      { title: "State", value: (row) => stateBadge(row.StateValue), narrow: true },
      { title: "Name", value: (row) => h("a", { href: `#/alarms/${encodeURIComponent(row.AlarmName)}` }, row.AlarmName) },
      { title: "Kind", value: (row) => (isComposite(row) ? "composite" : "metric"), narrow: true },
      { title: "When", value: conditionOf },
      { title: "Actions", value: (row) => (row.ActionsEnabled ? "on" : badge("✗ off", "warn")), narrow: true },
      { title: "Since", value: (row) => when(row.StateTransitionedTimestamp ?? row.StateUpdatedTimestamp), narrow: true },
    ], found, { text: (row) => `${row.AlarmName} ${row.StateValue} ${STATES[row.StateValue]?.[0]}`, empty: "No alarms yet.", label: "Search alarms" })));
}

async function one(name) {
  const [alarm] = await describe({ AlarmNames: [name] });
  if (!alarm) return h("div", {}, h("h1", {}, name), h("div", { class: "card empty" }, "There is no such alarm."));
  const act = (event, operation, words) => doing(event, async () => {
    await call("monitoring", operation, { AlarmNames: [name] });
    refresh();
  }, words);
  const arns = (list) => (list ?? []).map((arn) => h("div", {}, h("code", {}, arn)));
  const composite = isComposite(alarm);
  const history = await call("monitoring", "DescribeAlarmHistory", { AlarmName: name, AlarmTypes: ["MetricAlarm", "CompositeAlarm"], MaxRecords: HISTORY_MAX });
  return h("div", {},
    h("div", { class: "head" }, h("div", { class: "crumbs" }, h("a", { href: "#/alarms" }, "Alarms")), h("h1", {}, name), stateBadge(alarm.StateValue),
      h("div", { class: "actions" },
        button("Edit", () => (composite ? editComposite(alarm) : editMetric(alarm))),
        alarm.ActionsEnabled ? button("Disable actions", (event) => act(event, "DisableAlarmActions", "The actions are off.")) : button("Enable actions", (event) => act(event, "EnableAlarmActions", "The actions are on.")),
        button("Set state", () => setState(alarm)),
        button("Delete", () => remove(name), "danger"))),
    composite ? await children(alarm) : picture(alarm),
    card("Alarm", facts([
      ["State", h("span", {}, stateBadge(alarm.StateValue), ` since ${when(alarm.StateTransitionedTimestamp ?? alarm.StateUpdatedTimestamp)}`)],
      ["Why", alarm.StateReason],
      ["When", conditionOf(alarm)],
      alarm.AlarmDescription && ["Description", alarm.AlarmDescription],
      alarm.MetricName && ["Metric", h("span", {}, h("code", {}, `${alarm.Namespace} ${alarm.MetricName}`), " ", alarm.Dimensions.map((pair) => [h("code", {}, `${pair.Name}=${pair.Value}`), " "]))],
      alarm.Metrics?.length > 0 && ["Metrics", h("pre", { class: "box", tabindex: "0" }, pretty(alarm.Metrics))],
      !composite && ["Missing data", alarm.TreatMissingData ?? "missing"],
      ["Actions", alarm.ActionsEnabled ? "✓ on" : "✗ off"],
      ["In alarm", arns(alarm.AlarmActions)], ["OK again", arns(alarm.OKActions)], ["Not enough data", arns(alarm.InsufficientDataActions)],
      ["ARN", h("code", {}, alarm.AlarmArn)],
    ])),
    card("History", table([
      { title: "Time", value: (row) => when(row.Timestamp), narrow: true },
      { title: "Kind", value: (row) => badge({ StateUpdate: "state", ConfigurationUpdate: "configuration", Action: "action" }[row.HistoryItemType] ?? row.HistoryItemType), narrow: true },
      { title: "What", value: (row) => row.HistorySummary },
    ], history.AlarmHistoryItems ?? [])));
}

// The states of the alarms that a composite one names.
async function children(alarm) {
  const names = [...new Set([...alarm.AlarmRule.matchAll(/(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*"?([^")]+?)"?\s*\)/g)].map(([, name]) => name.split(":alarm:").pop()))];
  const found = names.length ? await describe({ AlarmNames: names.slice(0, 100) }) : [];
  return card("Made of", table([
    { title: "State", value: (row) => stateBadge(row.StateValue), narrow: true },
    { title: "Name", value: (row) => h("a", { href: `#/alarms/${encodeURIComponent(row.AlarmName)}` }, row.AlarmName) },
    { title: "Why", value: (row) => row.StateReason },
  ], found, "It names no alarm that there is."));
}

// What an alarm compares, as queries; the first is the one that is held against its threshold.
export function queriesOf(alarm, step) {
  if (alarm.MetricName) {
    return [metric("watched", alarm.Namespace, alarm.MetricName, alarm.Dimensions, alarm.Statistic ?? alarm.ExtendedStatistic, Math.max(alarm.Period, step))];
  }
  return (alarm.Metrics ?? []).map(({ AccountId, ...query }) => query);
}

export async function alarmChart(alarm, range, title = alarm.AlarmName) {
  const step = Math.max(alarm.Period ?? 60, period(range[1] - range[0]));
  const [start, end] = whole(range, step);
  const found = await metricData(queriesOf(alarm, step), [start, end]);
  const series = Object.values(found).map((one) => ({ name: one.label, points: one.points }));
  const lines = alarm.Threshold === undefined ? [] : [{ value: alarm.Threshold, name: `${SIGNS[alarm.ComparisonOperator] ?? ""} ${alarm.Threshold}` }];
  return chart(title, series, { from: start * 1000, to: end * 1000, lines, unit: (value) => String(Number(value.toPrecision(4))) });
}

function picture(alarm) {
  const place = h("div");
  const range = rangePicker(draw);
  async function draw() {
    try {
      replace(place, pictureCard("What it watches", await alarmChart(alarm, range.range()), fileName("alarm", alarm.AlarmName)));
    } catch (cause) {
      replace(place, failure(cause));
    }
  }
  draw();
  return h("div", {}, h("section", { class: "card" }, range), place);
}

async function setState(alarm) {
  const done = await ask(`Set the state of ${alarm.AlarmName}`, h("div", {},
    h("p", { class: "soft" }, "For a test: its actions run, and the next evaluation sets it anew."),
    field("State", select(Object.entries(STATES).map(([value, [text]]) => [value, text]), "ALARM", { name: "state" })),
    field("Reason", h("input", { name: "reason", required: true, value: "Set in the console" }))), {
    action: "Set state",
    work: ({ state, reason }) => call("monitoring", "SetAlarmState", { AlarmName: alarm.AlarmName, StateValue: state, StateReason: reason }),
  });
  if (done) refresh();
}

async function remove(name) {
  if (await confirmDeletion("alarm", name, () => call("monitoring", "DeleteAlarms", { AlarmNames: [name] }))) location.hash = "#/alarms";
}
