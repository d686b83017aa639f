// Stages of a REST API: where it is called, with which limits, variables and logs.

import { refresh } from "../../../main.js";
import { h } from "../../../ui/dom.js";
import { ask, confirmDeletion } from "../../../ui/dialog.js";
import { flag, more, pairs } from "../../../ui/form.js";
import { button, cardWith, doing, facts, field, select, table } from "../../../ui/parts.js";
import { save } from "../../../ui/picture.js";
import { when } from "../../../ui/words.js";
import { addressOf, all, escapedPart, gateway, mapChanges, patch } from "../calls.js";
import { raw } from "../../../aws/call.js";

const EVERY = "*/*";
const FORMAT = '{"requestId":"$context.requestId","time":"$context.requestTime","ip":"$context.identity.sourceIp","method":"$context.httpMethod","resource":"$context.resourcePath","status":"$context.status","latency":"$context.responseLatency"}';

export async function stages(api) {
  const [found, deployments, resources] = await Promise.all([
    gateway("GET", `/restapis/${api.id}/stages`).then((answer) => answer.item ?? []),
    all(`/restapis/${api.id}/deployments`),
    all(`/restapis/${api.id}/resources`, { embed: "methods" }),
  ]);
  if (!found.length) return h("div", { class: "card empty" }, "No stages yet: deploy the API.");
  return h("div", {}, found.map((stage) => one(api, stage, deployments, resources)));
}

function one(api, stage, deployments, resources) {
  const all = stage.methodSettings?.[EVERY] ?? {};
  const own = Object.entries(stage.methodSettings ?? {}).filter(([key]) => key !== EVERY);
  const place = `/restapis/${api.id}/stages/${stage.stageName}`;
  const deployment = deployments.find((known) => known.id === stage.deploymentId);
  const removeOwn = (key) => (event) => doing(event, async () => {
    await gateway("PATCH", place, { patchOperations: [{ op: "remove", path: `/${key}` }] });
    refresh();
  });
  return cardWith(stage.stageName, [
    button("Edit", () => edit(place, stage, deployments), "small", { "aria-label": `Edit stage ${stage.stageName}` }),
    button("Method limits", () => limit(place, stage, resources), "small"),
    button("Export", (event) => exported(event, api, stage), "small", { "aria-label": `Export stage ${stage.stageName} as OpenAPI` }),
    button("Delete", () => remove(place, stage), "small danger", { "aria-label": `Delete stage ${stage.stageName}` }),
  ], facts([
    ["Address", h("code", { class: "address" }, addressOf(api.id, stage.stageName))],
    stage.description && ["Description", stage.description],
    ["Deployment", h("span", {}, h("code", {}, stage.deploymentId), ` of ${when(deployment?.createdDate ?? stage.lastUpdatedDate)} ${deployment?.description ?? ""}`)],
    ["Throttle", all.throttlingRateLimit >= 0 && all.throttlingRateLimit !== undefined ? `${all.throttlingRateLimit} calls a second, ${all.throttlingBurstLimit} at once` : "the account's"],
    ["Variables", Object.entries(stage.variables ?? {}).map(([name, value]) => h("div", {}, h("code", {}, `${name}=${value}`)))],
    ["Metrics by method", all.metricsEnabled ? "✓ on" : "off"],
    ["Execution log", all.loggingLevel && all.loggingLevel !== "OFF" ? all.loggingLevel : "off"],
    ["Access log", stage.accessLogSettings ? h("code", {}, stage.accessLogSettings.destinationArn) : "off"],
    ["Tracing", stage.tracingEnabled ? "✓ on" : "off"],
    stage.clientCertificateId && ["Client certificate", h("code", {}, stage.clientCertificateId)],
  ]), own.length > 0 && h("div", {}, h("h3", {}, "Limits of methods"), table([
    { title: "Method", value: ([key]) => h("code", {}, methodOf(key)) },
    { title: "Calls a second", value: ([, row]) => row.throttlingRateLimit ?? "–", number: true },
    { title: "At once", value: ([, row]) => row.throttlingBurstLimit ?? "–", number: true },
    { title: "", value: ([key]) => button("Remove", removeOwn(key), "small", { "aria-label": `Remove the limits of ${methodOf(key)}` }), narrow: true },
  ], own)));
}

// `~1scores~1{id}/GET` as people write it: `GET /scores/{id}`.
function methodOf(key) {
  const at = key.lastIndexOf("/");
  const path = key.slice(0, at).replaceAll("~1", "/").replaceAll("~0", "~");
  return `${key.slice(at + 1)} ${path.startsWith("/") ? path : `/${path}`}`;
}

async function edit(place, stage, deployments) {
  const all = stage.methodSettings?.[EVERY] ?? {};
  const log = stage.accessLogSettings;
  const throttled = all.throttlingRateLimit !== undefined && all.throttlingRateLimit >= 0;
  const metrics = flag("Metrics for each method", { checked: all.metricsEnabled }, "Counted by method and resource, too; the dashboard shows them.");
  const tracing = flag("Tracing", { checked: stage.tracingEnabled });
  const dataTrace = flag("Whole requests and answers in the log", { checked: all.dataTraceEnabled });
  const variables = pairs("Variables", stage.variables);
  const done = await ask(`Edit stage ${stage.stageName}`, h("div", {},
    field("Description", h("input", { name: "description", value: stage.description ?? "" })),
    field("Deployment", select(deployments.map((one) => [one.id, `${when(one.createdDate)} ${one.description ?? ""} (${one.id})`]), stage.deploymentId, { name: "deployment" })),
    h("div", { class: "row" },
      field("Calls a second", h("input", { name: "rate", type: "number", min: "0", step: "any", value: throttled ? all.throttlingRateLimit : "" })),
      field("At once", h("input", { name: "burst", type: "number", min: "0", value: throttled ? all.throttlingBurstLimit : "" }))),
    h("div", { class: "gap" }), variables, metrics, tracing,
    more("Logs",
      field("Execution log", select(["OFF", "ERROR", "INFO"], all.loggingLevel ?? "OFF", { name: "level" })), dataTrace,
      field("Access log to (ARN of a log group)", h("input", { name: "destination", value: log?.destinationArn ?? "", spellcheck: "false" }), "Empty: no access log."),
      field("Format of a line", h("textarea", { name: "format", rows: "4", spellcheck: "false" }, log?.format ?? FORMAT)))), {
    work: async (values) => {
      await patch(place, {
        "/description": values.description === (stage.description ?? "") ? undefined : values.description,
        "/deploymentId": values.deployment === stage.deploymentId ? undefined : values.deployment,
        "/tracingEnabled": tracing.box.checked,
        "/*/*/metrics/enabled": metrics.box.checked,
        "/*/*/logging/loglevel": values.level,
        "/*/*/logging/dataTrace": dataTrace.box.checked,
        "/*/*/throttling/rateLimit": values.rate || (throttled ? -1 : undefined),
        "/*/*/throttling/burstLimit": values.burst || (throttled ? -1 : undefined),
        ...(values.destination
          ? { "/accessLogSettings/destinationArn": values.destination, "/accessLogSettings/format": values.format.trim() }
          : { "/accessLogSettings": log ? null : undefined }),
      }, mapChanges("/variables", stage.variables, variables.values()));
    },
  });
  if (done) refresh();
}

async function limit(place, stage, resources) {
  const methods = resources.flatMap((one) => Object.keys(one.resourceMethods ?? {}).map((verb) => [`${escapedPart(one.path)}/${verb}`, `${verb} ${one.path}`]));
  const done = await ask(`Limit a method in ${stage.stageName}`, h("div", {},
    field("Method", select(methods, methods[0]?.[0], { name: "method", required: true })),
    h("div", { class: "row" },
      field("Calls a second", h("input", { name: "rate", type: "number", min: "0", step: "any", required: true })),
      field("At once", h("input", { name: "burst", type: "number", min: "0", required: true })))), {
    work: ({ method, rate, burst }) => patch(place, { [`/${method}/throttling/rateLimit`]: rate, [`/${method}/throttling/burstLimit`]: burst }),
  });
  if (done) refresh();
}

async function exported(event, api, stage) {
  await doing(event, async () => {
    const answer = await raw("apigateway", "GET", `/restapis/${api.id}/stages/${stage.stageName}/exports/oas30`, {
      query: { extensions: "apigateway" }, headers: { accept: "application/json" },
    });
    save(`${api.name}-${stage.stageName}.json`, await answer.blob());
  });
}

async function remove(place, stage) {
  if (await confirmDeletion("stage", stage.stageName, () => gateway("DELETE", place))) refresh();
}
