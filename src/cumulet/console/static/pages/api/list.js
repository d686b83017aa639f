// APIs of all kinds, and the keys and usage plans that they share.

import { h } from "../../ui/dom.js";
import { ask } from "../../ui/dialog.js";
import { suggested } from "../../ui/form.js";
import { badge, button, cardWith, choice, field, searchable } from "../../ui/parts.js";
import { raw } from "../../aws/call.js";
import { count, when } from "../../ui/words.js";
import { all, allowCalls, allV2, apiArn, functionArn, functions, gateway } from "./calls.js";
import { createKey, key } from "./access/keys.js";
import { createPlan, limits, plan, quota } from "./access/plans.js";
import restApi from "./rest/one.js";
import httpApi from "./v2/one.js";

const KINDS = [
  ["REST", "REST: keys, plans, validation, mapping, resource policies"],
  ["HTTP", "HTTP: simple and quick"],
  ["WEBSOCKET", "WebSocket: both sides send"],
];

export default async function apis(id, ...rest) {
  if (id === "keys") return key(...rest);
  if (id === "plans") return plan(...rest);
  if (id === "v2") return httpApi(...rest);
  if (id) return restApi(id, ...rest);
  const [found, others, keys, plans] = await Promise.all([all("/restapis"), allV2(""), all("/apikeys"), all("/usageplans")]);
  const rows = [
    ...found.map((one) => ({ name: one.name, id: one.id, kind: "REST", href: `#/apis/${one.id}`, description: one.description, made: one.createdDate })),
    ...others.map((one) => ({ name: one.name, id: one.apiId, kind: one.protocolType, href: `#/apis/v2/${one.apiId}`, description: one.description, made: one.createdDate })),
  ].sort((a, b) => a.name.localeCompare(b.name));
  return h("div", {},
    h("div", { class: "head" }, h("h1", {}, "APIs"), h("div", { class: "actions" },
      button("Import", importApi), button("Create API", create, "main-one"))),
    h("div", { class: "card" }, searchable([
      { title: "Name", value: (row) => h("a", { href: row.href }, row.name) },
      { title: "Kind", value: (row) => badge(row.kind === "WEBSOCKET" ? "WebSocket" : row.kind), narrow: true },
      { title: "Id", value: (row) => h("code", {}, row.id), narrow: true },
      { title: "Description", value: (row) => row.description || "–" },
      { title: "Made", value: (row) => when(row.made), narrow: true },
    ], rows, { text: (row) => `${row.name} ${row.id} ${row.kind}`, empty: "No APIs yet. Create one, or deploy an application.", label: "Search APIs" })),
    cardWith("API keys", button("Create key", createKey, "small"), searchable([
      { title: "Name", value: (row) => h("a", { href: `#/apis/keys/${row.id}` }, row.name ?? row.id) },
      { title: "State", value: (row) => (row.enabled ? badge("✓ enabled", "good") : badge("✗ disabled", "warn")), narrow: true },
      { title: "Id", value: (row) => h("code", {}, row.id), narrow: true },
      { title: "Made", value: (row) => when(row.createdDate), narrow: true },
    ], keys, { text: (row) => `${row.name} ${row.id}`, empty: "No keys yet.", label: "Search keys" })),
    cardWith("Usage plans", button("Create plan", createPlan, "small"), searchable([
      { title: "Name", value: (row) => h("a", { href: `#/apis/plans/${row.id}` }, row.name) },
      { title: "Throttle", value: (row) => limits(row.throttle) },
      { title: "Quota", value: (row) => quota(row.quota) },
      { title: "Stages", value: (row) => count(row.apiStages?.length), number: true },
    ], plans, { text: (row) => row.name, empty: "No usage plans yet.", label: "Search plans" })));
}

async function create() {
  let kind = "REST";
  const known = await functions();
  const called = suggested("Function", known.map((one) => one.name), {}, "All calls go to it; empty: routes are made by hand.");
  const selection = field("Route of a message", h("input", { name: "selection", value: "$request.body.action", spellcheck: "false" }), "Where in a message its route is named.");
  const show = (chosen) => {
    kind = chosen;
    called.hidden = kind !== "HTTP";
    selection.hidden = kind !== "WEBSOCKET";
  };
  show(kind);
  const made = await ask("Create API", h("div", {},
    h("div", { class: "field", role: "radiogroup", "aria-label": "Kind" }, h("div", { class: "label" }, "Kind"), choice("kind", KINDS, kind, show)),
    field("API name", h("input", { name: "name", required: true, maxlength: "128", autocomplete: "off" })),
    field("Description", h("input", { name: "description" })), called, selection), {
    action: "Create API",
    work: async ({ name, description, selection: expression }) => {
      if (kind === "REST") {
        return `#/apis/${(await gateway("POST", "/restapis", { name, description: description || undefined, endpointConfiguration: { types: ["REGIONAL"] } })).id}`;
      }
      const target = kind === "HTTP" && called.input.value ? functionArn(called.input.value, known) : undefined;
      const api = await gateway("POST", "/v2/apis", {
        name, description: description || undefined, protocolType: kind, target,
        routeSelectionExpression: kind === "WEBSOCKET" ? expression : undefined,
      });
      if (target) await allowCalls(target, apiArn(api.apiId, "*/$default"));
      return `#/apis/v2/${api.apiId}`;
    },
  });
  if (made) location.hash = made;
}

async function importApi() {
  const text = h("textarea", { name: "text", rows: "12", spellcheck: "false", required: true });
  const file = h("input", { type: "file", accept: ".json,.yaml,.yml", onchange: async () => { text.value = await file.files[0].text(); } });
  const made = await ask("Import from OpenAPI", h("div", {},
    h("div", { class: "field", role: "radiogroup", "aria-label": "Kind" }, choice("kind", KINDS.slice(0, 2), "REST", () => {})),
    field("From a file", file), field("Document (OpenAPI 3, or Swagger 2 for REST)", text)), {
    action: "Import",
    work: async ({ kind }) => {
      if (kind === "HTTP") return `#/apis/v2/${(await gateway("PUT", "/v2/apis", { body: text.value })).apiId}`;
      const answer = await raw("apigateway", "POST", "/restapis", { query: { mode: "import" }, body: text.value, headers: { "content-type": "application/json" } });
      return `#/apis/${(await answer.json()).id}`;
    },
  });
  if (made) location.hash = made;
}

