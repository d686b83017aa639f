// What runs, what fails, and how busy the cloud is.

import { asList, call, everything, own, rest, s3 } from "../aws/call.js";
import { metric, metricData, whole } from "../aws/metrics.js";
import { chart } from "../ui/chart.js";
import { h } from "../ui/dom.js";
import { monthsTotal } from "./costs.js";
import { badge, card, cardWith, failure, figure, notice, table } from "../ui/parts.js";
import { count, dollars, millis } from "../ui/words.js";

const HOURS = 3;

// A part of the page that its user may not see says so, and the others stay.
async function may(work) {
  try {
    return await work();
  } catch (cause) {
    return failure(cause);
  }
}

function number(found) {
  return found instanceof Node ? "–" : count(found.length);
}

async function lists() {
  const [functions, tables, buckets, queues, stacks, apis] = await Promise.all([
    may(() => everything((Marker) => rest("lambda", "GET", "/2015-03-31/functions", { query: { Marker } }), (a) => a.Functions, (a) => a.NextMarker)),
    may(async () => (await call("dynamodb", "ListTables")).TableNames),
    may(async () => asList((await s3("GET", "/")).Buckets?.Bucket)),
    may(async () => (await call("sqs", "ListQueues", { MaxResults: 1000 })).QueueUrls ?? []),
    may(async () => asList((await call("cloudformation", "DescribeStacks")).Stacks)),
    may(async () => (await rest("apigateway", "GET", "/restapis", { query: { limit: 500 } })).item ?? []),
  ]);
  return { functions, tables, buckets, queues, stacks, apis };
}


async function metrics() {
  const [start, end] = whole([Date.now() / 1000 - HOURS * 3600, Date.now() / 1000], 60);
  const found = await metricData([metric("calls", "AWS/Lambda", "Invocations", [], "Sum", 60), metric("errors", "AWS/Lambda", "Errors", [], "Sum", 60)], [start, end]);
  return chart("Invocations of functions a minute", [
    { name: "Invocations", points: found.calls?.points ?? [] },
    { name: "Errors", points: found.errors?.points ?? [] },
  ], { unit: count, from: start * 1000, to: end * 1000 });
}

async function recent() {
  const { requests } = await own("requests", { count: 200 });
  const served = requests.filter((one) => one.status !== undefined && !String(one.path).startsWith("/_cumulet"));
  const failing = served.filter((one) => one.status >= 500 || one.status === 403 || one.status === 429);
  const took = served.map((one) => one.duration_ms).sort((a, b) => a - b);
  return [
    h("p", {}, `Of the last ${served.length} requests, ${failing.length} were refused or failed; half took under ${millis(took[Math.floor(took.length / 2)] ?? 0)}.`),
    failing.length > 0 && table([
      { title: "What", value: (one) => h("a", { href: `#/requests/${one.request_id}` }, `${one.service ?? one.surface ?? ""} ${one.operation ?? one.path}`) },
      { title: "Answer", value: (one) => badge(`${one.status} ${one.error ?? one.error_code ?? ""}`, "bad") },
    ], failing.slice(0, 6)),
  ];
}

export default async function home() {
  const [found, health, picture, requests, spent] = await Promise.all([
    lists(),
    fetch("/_cumulet/health").then((answer) => answer.json()),
    may(metrics),
    may(recent),
    may(monthsTotal),
  ]);
  const broken = found.stacks instanceof Node ? [] : found.stacks.filter((one) => /FAILED|ROLLBACK/.test(one.StackStatus));
  return h("div", {},
    h("div", { class: "head" }, h("h1", {}, "Home"), badge(health.status === "running" ? "✓ running" : `✗ ${health.status}`, health.status === "running" ? "good" : "bad"),
      h("span", { class: "soft" }, `version ${health.version}`)),
    health.failure && notice(health.failure, "bad"),
    broken.length > 0 && notice(h("span", {}, `${broken.length} stacks need a look: `, broken.map((one) => [h("a", { href: `#/stacks/${one.StackName}` }, one.StackName), " "])), "warn"),
    h("div", { class: "grid figures" },
      figure(number(found.functions), "Functions", "#/functions"),
      figure(number(found.apis), "REST APIs", "#/apis"),
      figure(number(found.tables), "Tables", "#/tables"),
      figure(number(found.buckets), "Buckets", "#/buckets"),
      figure(number(found.queues), "Queues", "#/queues"),
      figure(number(found.stacks), "Stacks", "#/stacks"),
      figure(spent instanceof Node ? "–" : roughly(spent), "on AWS this month, estimated", "#/costs")),
    h("div", { class: "wide" },
      card(`Functions, the last ${HOURS} hours`, picture),
      cardWith("Requests", h("a", { class: "button small", href: "#/requests" }, "All"), requests)));
}

// A glance needs no parts of a cent; the page of costs has them.
function roughly(spent) {
  return spent > 0 && spent < 0.01 ? "< $0.01" : dollars(spent);
}
