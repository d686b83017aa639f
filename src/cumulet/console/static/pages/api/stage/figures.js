// What a stage's dashboard shows, from CloudWatch: of a stage, or of one of its methods, over a range.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html

import { call } from "../../../aws/call.js";
import { listMetrics, metric, metricData, period, total, whole } from "../../../aws/metrics.js";

const NAMESPACE = "AWS/ApiGateway";
export const PERCENTILES = ["p50", "p90", "p99", "p99.8"];
const DAY = 86400;
// A minute is the finest that is kept, and kept for 15 days; what is older has five.
const FINE = (seconds) => (seconds <= 7 * DAY ? 60 : 300);

export function scopeOf(api, stage, method) {
  const base = [{ Name: "ApiName", Value: api.name }, { Name: "Stage", Value: stage }];
  return method ? [...base, { Name: "Method", Value: method.verb }, { Name: "Resource", Value: method.path }] : base;
}

// The methods that were counted by themselves: those of stages whose metrics by method are on.
export async function measuredMethods(api, stage) {
  const found = await listMetrics({ Namespace: NAMESPACE, MetricName: "Count", Dimensions: scopeOf(api, stage) });
  const value = (one, name) => one.Dimensions.find((pair) => pair.Name === name)?.Value;
  return found.filter((one) => one.Dimensions.length === 4).map((one) => ({ verb: value(one, "Method"), path: value(one, "Resource") }))
    .sort((a, b) => (a.path + a.verb < b.path + b.verb ? -1 : 1));
}

// Series over the range: calls, errors, percentiles, and the answers over the threshold (ms).
export async function seriesOf(scope, range, threshold) {
  const step = period(range[1] - range[0]);
  const [start, end] = whole(range, step);
  const ask = (id, name, stat) => metric(id, NAMESPACE, name, scope, stat, step);
  const found = await metricData([
    ask("calls", "Count", "Sum"), ask("bad4", "4XXError", "Sum"), ask("bad5", "5XXError", "Sum"),
    ...PERCENTILES.map((stat, index) => ask(`p${index}`, "Latency", stat)),
    ask("slow", "Latency", `TC(${threshold}:)`), ask("measured", "Latency", "SampleCount"),
  ], [start, end]);
  const measured = new Map(found.measured?.points);
  const slow = new Map(found.slow?.points);
  const share = [...measured].map(([time, all]) => [time, (100 * (slow.get(time) ?? 0)) / all]);
  return { ...Object.fromEntries(Object.entries(found).map(([id, one]) => [id, one.points])), share, start, end };
}

// One figure of each kind for the whole range, for each scope.
export async function figuresOf(scopes, range, threshold) {
  const [from, to] = whole(range, 60);
  const fine = FINE(to - from);
  const [start, end] = whole(range, fine);
  const statistics = async (Dimensions, MetricName, more) => {
    const answer = await call("monitoring", "GetMetricStatistics", {
      Namespace: NAMESPACE, MetricName, Dimensions, StartTime: from, EndTime: to, Period: to - from, ...more,
    });
    return answer.Datapoints[0];
  };
  const slow = await metricData(scopes.flatMap((scope, index) => [
    metric(`slow${index}`, NAMESPACE, "Latency", scope, `TC(${threshold}:)`, fine),
    metric(`all${index}`, NAMESPACE, "Latency", scope, "SampleCount", fine),
  ]), [start, end]);
  return Promise.all(scopes.map(async (scope, index) => {
    const [calls, bad4, bad5, latency] = await Promise.all([
      statistics(scope, "Count", { Statistics: ["Sum"] }), statistics(scope, "4XXError", { Statistics: ["Sum"] }),
      statistics(scope, "5XXError", { Statistics: ["Sum"] }), statistics(scope, "Latency", { ExtendedStatistics: PERCENTILES }),
    ]);
    const [over, all] = [total(slow[`slow${index}`]), total(slow[`all${index}`])];
    return {
      calls: calls?.Sum ?? 0, bad4: bad4?.Sum ?? 0, bad5: bad5?.Sum ?? 0,
      percentiles: PERCENTILES.map((name) => latency?.ExtendedStatistics?.[name]),
      over, all, under: all ? 100 - (100 * over) / all : undefined,
    };
  }));
}
