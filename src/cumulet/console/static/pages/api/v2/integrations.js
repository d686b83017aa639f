// Backends of an HTTP or WebSocket API: functions, addresses, and for WebSockets fixed answers.

import { refresh } from "../../../main.js";
import { h } from "../../../ui/dom.js";
import { ask, confirmDeletion } from "../../../ui/dialog.js";
import { suggested } from "../../../ui/form.js";
import { badge, button, cardWith, field, select, table } from "../../../ui/parts.js";
import { allV2, functionArn, functionOf, functions, functionUri, gateway } from "../calls.js";

const VERBS = ["ANY", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
const KINDS = [["AWS_PROXY", "Function"], ["HTTP_PROXY", "HTTP address"]];

export function backendOf(one) {
  const called = functionOf(one.integrationUri);
  if (called) return called.split(":")[6];
  return `${one.integrationMethod ?? ""} ${one.integrationUri ?? one.integrationSubtype ?? one.integrationType}`.trim();
}

export async function integrations(api) {
  const found = await allV2(`/${api.apiId}/integrations`);
  return cardWith("Backends", button("Create backend", () => edit(api), "small"), table([
    { title: "Backend", value: (row) => h("button", { type: "button", class: "button small", "aria-label": `Edit backend ${backendOf(row)}`, onclick: () => edit(api, row) }, backendOf(row)) },
    { title: "Type", value: (row) => badge(row.integrationType), narrow: true },
    { title: "Event", value: (row) => (row.payloadFormatVersion ? `version ${row.payloadFormatVersion}` : "–"), narrow: true },
    { title: "Time limit", value: (row) => (row.timeoutInMillis ? `${row.timeoutInMillis} ms` : "–"), number: true },
    { title: "", value: (row) => button("Delete", () => remove(api, row), "small danger", { "aria-label": `Delete backend ${backendOf(row)}` }), narrow: true },
  ], found, "No backends yet."));
}

async function edit(api, row) {
  const isSocket = api.protocolType === "WEBSOCKET";
  const known = await functions();
  const kinds = isSocket ? [...KINDS, ["MOCK", "Mock: answers without a backend"]] : KINDS;
  const kind = select(kinds.some(([value]) => value === row?.integrationType) ? kinds : [...kinds, ...(row ? [[row.integrationType, row.integrationType]] : [])], row?.integrationType ?? "AWS_PROXY", { onchange: show });
  const called = suggested("Function", known.map((one) => one.name), { value: functionOf(row?.integrationUri) ? backendOf(row) : "" }, "A name, or an ARN.");
  const address = h("input", { spellcheck: "false", placeholder: "https://example.com/{proxy}", value: functionOf(row?.integrationUri) ? "" : row?.integrationUri ?? "" });
  const verb = select(VERBS, row?.integrationMethod ?? "ANY");
  const version = select([["2.0", "2.0"], ["1.0", "1.0, as REST APIs send it"]], row?.payloadFormatVersion ?? "2.0");
  const places = { address: field("Address", address), verb: field("HTTP method of the call", verb), version: field("Version of the event", version) };
  function show() {
    const isFunction = kind.value === "AWS_PROXY";
    called.hidden = !isFunction;
    called.input.required = isFunction;
    places.address.hidden = places.verb.hidden = kind.value !== "HTTP_PROXY";
    places.version.hidden = !isFunction || isSocket;
  }
  show();
  const done = await ask(row ? "Edit backend" : "Create backend", h("div", {}, field("Type", kind), called, Object.values(places),
    field("Time limit (ms)", h("input", { name: "limit", type: "number", min: "50", max: isSocket ? 29000 : 30000, value: row?.timeoutInMillis ?? (isSocket ? 29000 : 30000) }))), {
    action: row ? "Save" : "Create backend",
    work: async ({ limit }) => {
      const isFunction = kind.value === "AWS_PROXY";
      const arn = isFunction ? functionArn(called.input.value, known) : undefined;
      const body = {
        integrationType: kind.value, timeoutInMillis: Number(limit),
        integrationUri: isFunction ? (isSocket ? functionUri(arn) : arn) : kind.value === "HTTP_PROXY" ? address.value : undefined,
        integrationMethod: isFunction ? "POST" : kind.value === "HTTP_PROXY" ? verb.value : undefined,
        payloadFormatVersion: isSocket ? undefined : isFunction ? version.value : "1.0",
        ...(kind.value === "MOCK" ? { requestTemplates: { 200: '{"statusCode": 200}' }, templateSelectionExpression: "200" } : {}),
      };
      const place = `/v2/apis/${api.apiId}/integrations`;
      if (row) await gateway("PATCH", `${place}/${row.integrationId}`, body);
      else await gateway("POST", place, body);
    },
  });
  if (done) refresh();
}

async function remove(api, row) {
  if (await confirmDeletion("backend", backendOf(row), () => gateway("DELETE", `/v2/apis/${api.apiId}/integrations/${row.integrationId}`))) refresh();
}
