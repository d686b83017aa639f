// The forms of alarms: of a metric, of math over metrics, and of other alarms.

import { call, everything } from "../../aws/call.js";
import { listMetrics, STATISTICS } from "../../aws/metrics.js";
import { refresh } from "../../main.js";
import { ask } from "../../ui/dialog.js";
import { h, replace } from "../../ui/dom.js";
import { flag, more, pairs, parsed, suggested, words } from "../../ui/form.js";
import { field, select } from "../../ui/parts.js";
import { pretty } from "../../ui/words.js";

const OPERATORS = [["GreaterThanThreshold", "greater than"], ["GreaterThanOrEqualToThreshold", "at least"], ["LessThanThreshold", "less than"], ["LessThanOrEqualToThreshold", "at most"]];
const MISSING = [["missing", "keep the state"], ["notBreaching", "good"], ["breaching", "bad"], ["ignore", "ignore them"]];
const PERIODS = [["10", "10 seconds"], ["30", "30 seconds"], ["60", "1 minute"], ["300", "5 minutes"], ["900", "15 minutes"], ["3600", "1 hour"], ["86400", "1 day"]];
const WHO = [["AlarmActions", "When in alarm"], ["OKActions", "When OK again"], ["InsufficientDataActions", "When data is not enough"]];
const EXAMPLE = [
  { Id: "errors", MetricStat: { Metric: { Namespace: "AWS/Lambda", MetricName: "Errors" }, Period: 60, Stat: "Sum" }, ReturnData: false },
  { Id: "calls", MetricStat: { Metric: { Namespace: "AWS/Lambda", MetricName: "Invocations" }, Period: 60, Stat: "Sum" }, ReturnData: false },
  { Id: "share", Expression: "100 * errors / calls", Label: "Errors (%)" },
];

// Where alarms send word: topics that there are, or any ARN that is typed.
async function actionFields(alarm) {
  const topics = await everything((NextToken) => call("sns", "ListTopics", { NextToken }), (a) => a.Topics, (a) => a.NextToken).catch(() => []);
  const boxes = WHO.map(([key, title]) => [key, suggested(title, topics.map((one) => one.TopicArn), { value: (alarm[key] ?? []).join(" "), placeholder: "arn:aws:sns:…" })]);
  const enabled = flag("Actions are on", { checked: alarm.ActionsEnabled ?? true });
  const element = more("Actions", h("p", { class: "soft" }, "ARNs of topics or functions; several parted by blanks."), boxes.map(([, box]) => box), enabled);
  return { element, read: () => ({ ActionsEnabled: enabled.box.checked, ...Object.fromEntries(boxes.map(([key, box]) => [key, words(box.input.value)])) }) };
}

// Namespace, name and dimensions, with those that there are to choose from.
function metricFields(alarm, known) {
  const dimensions = h("div");
  const draw = (found) => replace(dimensions, pairs("Dimensions", found));
  const namespaces = [...new Set(known.map((one) => one.Namespace))].sort();
  const namespace = suggested("Namespace", namespaces, { value: alarm.Namespace ?? "", required: true });
  const name = suggested("Metric", [...new Set(known.map((one) => one.MetricName))].sort(), { value: alarm.MetricName ?? "", required: true });
  const text = (one) => `${one.Namespace} ${one.MetricName} ${one.Dimensions.map((pair) => `${pair.Name}=${pair.Value}`).join(" ")}`;
  const pick = select([["", "choose, or type below"], ...known.map((one, index) => [String(index), text(one)])], "", { onchange: () => {
    const one = known[pick.value];
    if (!one) return;
    namespace.input.value = one.Namespace;
    name.input.value = one.MetricName;
    draw(Object.fromEntries(one.Dimensions.map((pair) => [pair.Name, pair.Value])));
  } });
  draw(Object.fromEntries((alarm.Dimensions ?? []).map((pair) => [pair.Name, pair.Value])));
  const statistic = suggested("Statistic", STATISTICS, { value: alarm.Statistic ?? alarm.ExtendedStatistic ?? "Average", required: true, title: "Or pNN, PR(:100), TM(10%:90%) and the like." });
  const length = select(PERIODS.some(([value]) => value === String(alarm.Period ?? 60)) ? PERIODS : [...PERIODS, [String(alarm.Period), `${alarm.Period} seconds`]], String(alarm.Period ?? 60));
  const element = h("div", {}, field("Known metrics", pick), h("div", { class: "row" }, namespace, name), h("div", { class: "gap" }), dimensions,
    h("div", { class: "row" }, statistic, field("Period", length)), h("div", { class: "gap" }));
  const read = () => {
    const simple = STATISTICS.slice(0, 5).includes(statistic.input.value);
    return {
      Namespace: namespace.input.value, MetricName: name.input.value, Period: Number(length.value),
      Dimensions: Object.entries(dimensions.firstChild.values()).map(([Name, Value]) => ({ Name, Value })),
      [simple ? "Statistic" : "ExtendedStatistic"]: statistic.input.value,
    };
  };
  const demand = (isAsked) => { for (const box of [namespace, name, statistic]) box.input.required = isAsked; };
  return { element, read, demand };
}

export async function editMetric(alarm = {}) {
  const isNew = !alarm.AlarmName;
  const [known, actions] = await Promise.all([listMetrics().catch(() => []), actionFields(alarm)]);
  const fields = metricFields(alarm, known);
  const math = h("textarea", { rows: "12", spellcheck: "false" }, pretty(alarm.Metrics?.length ? alarm.Metrics : EXAMPLE));
  const mathField = field("Metrics and math (JSON)", math, "As PutMetricAlarm takes them: one returns data, and is held against the threshold.");
  const kind = select([["metric", "One metric"], ["math", "Math over metrics"]], alarm.Metrics?.length ? "math" : "metric", { onchange: show });
  function show() {
    fields.element.hidden = kind.value === "math";
    mathField.hidden = kind.value !== "math";
    fields.demand(kind.value === "metric");
  }
  show();
  const done = await ask(isNew ? "Create alarm" : `Edit ${alarm.AlarmName}`, h("div", {},
    field("Alarm name", h("input", { name: "name", required: true, maxlength: "255", value: alarm.AlarmName ?? "", readonly: !isNew })),
    field("Description", h("input", { name: "description", maxlength: "1024", value: alarm.AlarmDescription ?? "" })),
    field("Watches", kind), fields.element, mathField,
    h("div", { class: "row" },
      field("In alarm when it is", select(OPERATORS, alarm.ComparisonOperator ?? "GreaterThanThreshold", { name: "operator" })),
      field("Threshold", h("input", { name: "threshold", type: "number", step: "any", required: true, value: alarm.Threshold ?? "" }))),
    h("div", { class: "gap" }),
    h("div", { class: "row" },
      field("Periods looked at", h("input", { name: "periods", type: "number", min: "1", required: true, value: alarm.EvaluationPeriods ?? 1 })),
      field("Of them in alarm", h("input", { name: "datapoints", type: "number", min: "1", value: alarm.DatapointsToAlarm ?? "", placeholder: "all" })),
      field("Missing data is", select(MISSING, alarm.TreatMissingData ?? "missing", { name: "missing" }))),
    h("div", { class: "gap" }), actions.element), {
    action: isNew ? "Create alarm" : "Save",
    work: (values) => call("monitoring", "PutMetricAlarm", {
      AlarmName: values.name, AlarmDescription: values.description || undefined,
      ComparisonOperator: values.operator, Threshold: Number(values.threshold), EvaluationPeriods: Number(values.periods),
      DatapointsToAlarm: values.datapoints ? Number(values.datapoints) : undefined, TreatMissingData: values.missing,
      EvaluateLowSampleCountPercentile: alarm.EvaluateLowSampleCountPercentile, Unit: kind.value === "metric" ? alarm.Unit : undefined,
      ...(kind.value === "math" ? { Metrics: parsed(math.value, "The math") } : fields.read()), ...actions.read(),
    }).then(() => values.name),
  });
  after(done, isNew);
}

export async function editComposite(alarm = {}) {
  const isNew = !alarm.AlarmName;
  const actions = await actionFields(alarm);
  const done = await ask(isNew ? "Create composite alarm" : `Edit ${alarm.AlarmName}`, h("div", {},
    field("Alarm name", h("input", { name: "name", required: true, maxlength: "255", value: alarm.AlarmName ?? "", readonly: !isNew })),
    field("Description", h("input", { name: "description", value: alarm.AlarmDescription ?? "" })),
    field("Rule", h("textarea", { name: "rule", rows: "4", required: true, spellcheck: "false", placeholder: 'ALARM("errors") AND NOT ALARM("maintenance")' }, alarm.AlarmRule ?? ""),
      "ALARM, OK and INSUFFICIENT_DATA of a name; AND, OR, NOT, TRUE, FALSE, brackets."),
    actions.element), {
    action: isNew ? "Create alarm" : "Save",
    work: (values) => call("monitoring", "PutCompositeAlarm", {
      AlarmName: values.name, AlarmDescription: values.description || undefined, AlarmRule: values.rule, ...actions.read(),
      ActionsSuppressor: alarm.ActionsSuppressor, ActionsSuppressorWaitPeriod: alarm.ActionsSuppressorWaitPeriod, ActionsSuppressorExtensionPeriod: alarm.ActionsSuppressorExtensionPeriod,
    }).then(() => values.name),
  });
  after(done, isNew);
}

function after(name, isNew) {
  if (!name) return;
  if (isNew) location.hash = `#/alarms/${encodeURIComponent(name)}`;
  else refresh();
}
