// Routes: which calls or messages go to which backend, and who may send them.

import { refresh } from "../../../main.js";
import { h } from "../../../ui/dom.js";
import { ask, confirmDeletion } from "../../../ui/dialog.js";
import { flag, words } from "../../../ui/form.js";
import { badge, button, cardWith, field, select, table } from "../../../ui/parts.js";
import { allowCalls, allV2, apiArn, functionOf, gateway } from "../calls.js";
import { backendOf } from "./integrations.js";

const VERBS = ["ANY", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
const SOCKET_ROUTES = ["$connect", "$disconnect", "$default"];

export async function routes(api) {
  const place = `/${api.apiId}`;
  const [found, integrations, authorizers] = await Promise.all([
    allV2(`${place}/routes`), allV2(`${place}/integrations`), allV2(`${place}/authorizers`),
  ]);
  found.sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1));
  const named = (row) => integrations.find((one) => `integrations/${one.integrationId}` === row.target);
  return cardWith("Routes", button("Create route", () => edit(api, integrations, authorizers), "small"), table([
    { title: "Route", value: (row) => h("button", { type: "button", class: "button small mono", "aria-label": `Edit route ${row.routeKey}`, onclick: () => edit(api, integrations, authorizers, row) }, row.routeKey), narrow: true },
    { title: "Backend", value: (row) => (named(row) ? backendOf(named(row)) : badge("✗ none", "warn")) },
    { title: "Authorization", value: (row) => authorizers.find((one) => one.authorizerId === row.authorizerId)?.name ?? row.authorizationType ?? "NONE", narrow: true },
    { title: "Key", value: (row) => (row.apiKeyRequired ? "✓ required" : "–"), narrow: true },
    { title: "", value: (row) => button("Delete", () => remove(api, row), "small danger", { "aria-label": `Delete route ${row.routeKey}` }), narrow: true },
  ], found, "No routes yet: nothing is answered."));
}

function pathOf(row) {
  return row.routeKey.split(" ").pop();
}

function keyFields(api, row) {
  if (api.protocolType === "WEBSOCKET") {
    const key = h("input", { required: true, list: "socket-routes", spellcheck: "false", value: row?.routeKey ?? "" });
    const element = h("div", {}, field("Route key", key, "$connect, $disconnect, $default, or a word that messages name."),
      h("datalist", { id: "socket-routes" }, SOCKET_ROUTES.map((value) => h("option", { value }))));
    return { element, read: () => key.value };
  }
  const [verb, path] = row && row.routeKey !== "$default" ? row.routeKey.split(" ") : ["ANY", row ? "" : "/"];
  const method = select(VERBS, verb);
  const address = h("input", { value: path, spellcheck: "false", placeholder: "/scores/{id}" });
  const element = h("div", { class: "row" }, field("Method", method), field("Path", address, "Empty: $default, for all that no other route takes."));
  return { element: h("div", { class: "field" }, element), read: () => (address.value ? `${method.value} ${address.value}` : "$default") };
}

async function edit(api, integrations, authorizers, row) {
  const key = keyFields(api, row);
  const isSocket = api.protocolType === "WEBSOCKET";
  const own = row?.target?.split("/").pop();
  const backend = select([...integrations.map((one) => [one.integrationId, `${backendOf(one)} (${one.integrationId})`]), ["", "none yet"]], own ?? integrations[0]?.integrationId ?? "");
  const who = select([["NONE", "Anyone"], ["AWS_IAM", "IAM: signed requests"], ...authorizers.map((one) => [one.authorizerId, `${one.authorizerType} authorizer: ${one.name}`])], row?.authorizerId ?? row?.authorizationType ?? "NONE");
  const scopes = field("Scopes", h("input", { name: "scopes", spellcheck: "false", value: (row?.authorizationScopes ?? []).join(" ") }), "For JWT authorizers; parted by blanks.");
  const keyed = flag("API key required", { checked: row?.apiKeyRequired });
  const done = await ask(row ? `Route ${row.routeKey}` : "Create route", h("div", {}, key.element,
    field("Backend", backend, integrations.length ? undefined : "None yet: create one under Backends."), field("Authorization", who), !isSocket && scopes, isSocket && keyed), {
    action: row ? "Save" : "Create route",
    work: async (values) => {
      const authorizer = authorizers.find((one) => one.authorizerId === who.value);
      const kind = authorizer ? (authorizer.authorizerType === "JWT" ? "JWT" : "CUSTOM") : who.value;
      const body = {
        routeKey: key.read(), target: backend.value ? `integrations/${backend.value}` : undefined,
        authorizationType: kind, authorizerId: authorizer?.authorizerId,
        authorizationScopes: kind === "JWT" ? words(values.scopes ?? "") : undefined,
        apiKeyRequired: isSocket ? keyed.box.checked : undefined,
      };
      const place = `/v2/apis/${api.apiId}/routes`;
      if (row) await gateway("PATCH", `${place}/${row.routeId}`, body);
      else await gateway("POST", place, body);
      if (row?.routeKey !== body.routeKey || row?.target !== body.target) await allowRoute(api, body.routeKey, integrations.find((one) => one.integrationId === backend.value));
    },
  });
  if (done) refresh();
}

async function allowRoute(api, routeKey, integration) {
  const arn = functionOf(integration?.integrationUri);
  if (!arn || integration.credentialsArn) return;
  const [verb, path] = routeKey.split(" ");
  const place = path ? `${verb === "ANY" ? "*" : verb}${path.replace(/\{[^}]+\}/g, "*")}` : routeKey;
  await allowCalls(arn, apiArn(api.apiId, `*/${place}`));
}

async function remove(api, row) {
  if (await confirmDeletion("route", row.routeKey, () => gateway("DELETE", `/v2/apis/${api.apiId}/routes/${row.routeId}`))) refresh();
}
