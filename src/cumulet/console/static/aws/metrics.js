// Values of metrics over a range: which period fits it, and GetMetricData in as many requests as it needs.

import { call, everything } from "./call.js";

const STEPS = [60, 300, 900, 3600, 21600, 86400];
const PERIODS_MAX = 240;
const QUERIES_MAX = 500;

export const STATISTICS = ["Average", "Sum", "Minimum", "Maximum", "SampleCount", "p50", "p90", "p99", "p99.8"];

// The shortest period (seconds) of which a range has no more than a picture can show.
export function period(seconds) {
  return STEPS.find((step) => seconds / step <= PERIODS_MAX) ?? STEPS.at(-1);
}

// A range widened to whole periods: what begins in a period is all of it.
export function whole([from, to], step) {
  return [Math.floor(from / step) * step, Math.max(Math.floor(from / step) + 1, Math.ceil(to / step)) * step];
}

export function metric(Id, Namespace, MetricName, Dimensions, Stat, Period) {
  return { Id, MetricStat: { Metric: { Namespace, MetricName, Dimensions }, Period, Stat } };
}

// Points of each query by its id: { id: { label, points: [[epoch ms, value]] } }.
export async function metricData(MetricDataQueries, [StartTime, EndTime]) {
  const found = {};
  for (let at = 0; at < MetricDataQueries.length; at += QUERIES_MAX) {
    let NextToken;
    do {
      const answer = await call("monitoring", "GetMetricData", {
        StartTime, EndTime, ScanBy: "TimestampAscending", MetricDataQueries: MetricDataQueries.slice(at, at + QUERIES_MAX), NextToken,
      });
      for (const { Id, Label, Timestamps, Values } of answer.MetricDataResults) {
        found[Id] ??= { label: Label, points: [] };
        found[Id].points.push(...Timestamps.map((time, index) => [time * 1000, Values[index]]));
      }
      NextToken = answer.NextToken;
    } while (NextToken);
  }
  return found;
}

export function total(series) {
  return (series?.points ?? []).reduce((sum, [, value]) => sum + value, 0);
}

export function listMetrics(input = {}) {
  return everything((NextToken) => call("monitoring", "ListMetrics", { ...input, NextToken }), (a) => a.Metrics, (a) => a.NextToken);
}
