// REST APIs: resources, trying a method, stages with their dashboard, keys and plans.

import { everything, rest } from "../../aws/call.js";
import { h } from "../../ui/dom.js";
import { badge, card, facts, searchable, table, tabs } from "../../ui/parts.js";
import { count, when } from "../../ui/words.js";
import { dashboard } from "./dashboard.js";
import { resources } from "./resources.js";

const at = (path) => ({ ask: (position) => rest("apigateway", "GET", path, { query: { position, limit: 500 } }), list: (a) => a.item, next: (a) => a.position });

async function all(path) {
  const { ask, list, next } = at(path);
  return everything(ask, list, next);
}

export default async function apis(id) {
  if (id) return one(id);
  const [found, others, keys, plans] = await Promise.all([
    all("/restapis"),
    rest("apigateway", "GET", "/v2/apis", { query: { maxResults: 500 } }).then((answer) => answer.items ?? answer.Items ?? []),
    all("/apikeys"),
    all("/usageplans"),
  ]);
  return h("div", {},
    h("div", { class: "head" }, h("h1", {}, "APIs")),
    h("div", { class: "card" }, h("header", {}, h("h2", {}, "REST APIs")), searchable([
      { title: "Name", value: (row) => h("a", { href: `#/apis/${row.id}` }, row.name) },
      { title: "Id", value: (row) => h("code", {}, row.id), narrow: true },
      { title: "Description", value: (row) => row.description ?? "–" },
      { title: "Made", value: (row) => when(row.createdDate), narrow: true },
    ], found, { text: (row) => `${row.name} ${row.id}`, empty: "No REST APIs yet.", label: "Search APIs" })),
    card("HTTP and WebSocket APIs", table([
      { title: "Name", value: (row) => row.name ?? row.Name },
      { title: "Kind", value: (row) => badge(row.protocolType ?? row.ProtocolType), narrow: true },
      { title: "Id", value: (row) => h("code", {}, row.apiId ?? row.ApiId), narrow: true },
      { title: "Address", value: (row) => h("code", {}, row.apiEndpoint ?? row.ApiEndpoint) },
    ], others, "None yet.")),
    card("Keys", table([
      { title: "Name", value: (row) => row.name },
      { title: "State", value: (row) => (row.enabled ? badge("enabled", "good") : badge("disabled", "warn")), narrow: true },
      { title: "Id", value: (row) => h("code", {}, row.id), narrow: true },
    ], keys, "No keys.")),
    card("Usage plans", table([
      { title: "Name", value: (row) => row.name },
      { title: "Throttle", value: (row) => (row.throttle ? `${row.throttle.rateLimit} a second, ${row.throttle.burstLimit} at once` : "–") },
      { title: "Quota", value: (row) => (row.quota ? `${count(row.quota.limit)} a ${row.quota.period.toLowerCase()}` : "–") },
      { title: "Stages", value: (row) => (row.apiStages ?? []).map((stage) => `${stage.apiId}/${stage.stage} `) },
    ], plans, "No usage plans.")));
}

async function one(id) {
  const [about, stages] = await Promise.all([
    rest("apigateway", "GET", `/restapis/${id}`),
    rest("apigateway", "GET", `/restapis/${id}/stages`).then((answer) => answer.item ?? []),
  ]);
  return h("div", {},
    h("div", { class: "head" }, h("div", { class: "crumbs" }, h("a", { href: "#/apis" }, "APIs")), h("h1", {}, about.name), badge("REST")),
    tabs({
      Dashboard: () => dashboard(about, stages),
      Resources: () => resources(about),
      Stages: () => stagesOf(about, stages),
    }));
}

function stagesOf(about, stages) {
  return h("div", {}, stages.map((stage) => card(stage.stageName, facts([
    ["Address", h("code", {}, `${location.origin.replace("//console.", "//")}/_aws/execute-api/${about.id}/${stage.stageName}/`)],
    ["Deployment", h("code", {}, stage.deploymentId)],
    ["Changed", when(stage.lastUpdatedDate)],
    ["Variables", Object.entries(stage.variables ?? {}).map(([name, value]) => h("div", {}, h("code", {}, `${name}=${value}`)))],
    ["Access log", stage.accessLogSettings?.destinationArn ?? "off"],
    ["Tracing", stage.tracingEnabled ? "on" : "off"],
  ]))), !stages.length && h("div", { class: "empty" }, "No stages: deploy the API."));
}
