// Stages of an HTTP or WebSocket API.

import { refresh } from "../../../main.js";
import { h } from "../../../ui/dom.js";
import { ask, confirmDeletion } from "../../../ui/dialog.js";
import { flag, more, pairs } from "../../../ui/form.js";
import { button, cardWith, facts, field, select } from "../../../ui/parts.js";
import { when } from "../../../ui/words.js";
import { addressOf, allV2, gateway } from "../calls.js";

const FORMAT = '{"requestId":"$context.requestId","time":"$context.requestTime","ip":"$context.identity.sourceIp","route":"$context.routeKey","status":"$context.status"}';

export async function stages(api) {
  const found = await allV2(`/${api.apiId}/stages`);
  const deployments = await allV2(`/${api.apiId}/deployments`);
  return h("div", {},
    h("p", {}, button("Create stage", () => edit(api, deployments))),
    found.map((stage) => one(api, stage, deployments)),
    !found.length && h("div", { class: "card empty" }, "No stages yet: the API is called nowhere."));
}

function one(api, stage, deployments) {
  const usual = stage.defaultRouteSettings ?? {};
  const address = addressOf(api.apiId, stage.stageName, api.protocolType);
  return cardWith(stage.stageName, [
    button("Edit", () => edit(api, deployments, stage), "small", { "aria-label": `Edit stage ${stage.stageName}` }),
    button("Delete", () => remove(api, stage), "small danger", { "aria-label": `Delete stage ${stage.stageName}` }),
  ], facts([
    ["Address", h("code", { class: "address" }, address)],
    ["Deployed", stage.autoDeploy ? "✓ by itself, after each change" : h("code", {}, stage.deploymentId ?? "never")],
    ["Changed", when(stage.lastUpdatedDate)],
    ["Throttle", usual.throttlingRateLimit === undefined ? "the account's" : `${usual.throttlingRateLimit} calls a second, ${usual.throttlingBurstLimit ?? "–"} at once`],
    ["Variables", Object.entries(stage.stageVariables ?? {}).map(([name, value]) => h("div", {}, h("code", {}, `${name}=${value}`)))],
    ["Metrics by route", usual.detailedMetricsEnabled ? "✓ on" : "off"],
    ["Access log", stage.accessLogSettings?.destinationArn ? h("code", {}, stage.accessLogSettings.destinationArn) : "off"],
  ]));
}

async function edit(api, deployments, stage) {
  const isSocket = api.protocolType === "WEBSOCKET";
  const usual = stage?.defaultRouteSettings ?? {};
  const auto = flag("Deploys by itself", { checked: stage?.autoDeploy ?? !isSocket, onchange: show });
  const metrics = flag("Metrics for each route", { checked: usual.detailedMetricsEnabled });
  const variables = pairs("Variables", stage?.stageVariables);
  const deployment = field("Deployment", select([["", "none yet"], ...deployments.map((one) => [one.deploymentId, `${when(one.createdDate)} ${one.description ?? ""} (${one.deploymentId})`])], stage?.deploymentId ?? deployments[0]?.deploymentId ?? "", { name: "deployment" }));
  function show() {
    deployment.hidden = auto.box.checked;
  }
  show();
  const done = await ask(stage ? `Edit stage ${stage.stageName}` : "Create stage", h("div", {},
    !stage && field("Name", h("input", { name: "stageName", required: true, value: isSocket ? "" : "$default", spellcheck: "false" }), isSocket ? undefined : "$default: no stage in the address."),
    auto, deployment,
    h("div", { class: "row" },
      field("Calls a second", h("input", { name: "rate", type: "number", min: "0", step: "any", value: usual.throttlingRateLimit ?? "" })),
      field("At once", h("input", { name: "burst", type: "number", min: "0", value: usual.throttlingBurstLimit ?? "" }))),
    h("div", { class: "gap" }), variables, metrics,
    more("Logs",
      field("Access log to (ARN of a log group)", h("input", { name: "destination", value: stage?.accessLogSettings?.destinationArn ?? "", spellcheck: "false" }), "Empty: no access log."),
      field("Format of a line", h("textarea", { name: "format", rows: "4", spellcheck: "false" }, stage?.accessLogSettings?.format ?? FORMAT)))), {
    action: stage ? "Save" : "Create stage",
    work: async (values) => {
      const place = `/v2/apis/${api.apiId}/stages`;
      const wanted = variables.values();
      const gone = Object.fromEntries(Object.keys(stage?.stageVariables ?? {}).filter((name) => !(name in wanted)).map((name) => [name, ""]));
      const body = {
        autoDeploy: auto.box.checked,
        deploymentId: auto.box.checked || !values.deployment || values.deployment === stage?.deploymentId ? undefined : values.deployment,
        stageVariables: { ...gone, ...wanted },
        defaultRouteSettings: {
          detailedMetricsEnabled: metrics.box.checked,
          throttlingRateLimit: values.rate ? Number(values.rate) : undefined, throttlingBurstLimit: values.burst ? Number(values.burst) : undefined,
        },
        accessLogSettings: values.destination ? { destinationArn: values.destination, format: values.format.trim() } : undefined,
      };
      if (!stage) return gateway("POST", place, { stageName: values.stageName, ...body });
      if (stage.accessLogSettings?.destinationArn && !values.destination) await gateway("DELETE", `${place}/${encodeURIComponent(stage.stageName)}/accesslogsettings`);
      return gateway("PATCH", `${place}/${stage.stageName}`, body);
    },
  });
  if (done) refresh();
}

async function remove(api, stage) {
  if (await confirmDeletion("stage", stage.stageName, () => gateway("DELETE", `/v2/apis/${api.apiId}/stages/${stage.stageName}`))) refresh();
}
