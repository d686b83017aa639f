// CORS for a resource in one step: an OPTIONS method that answers, and headers on the other answers.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-cors.html

import { h } from "../../../ui/dom.js";
import { ask } from "../../../ui/dialog.js";
import { flag, several, words } from "../../../ui/form.js";
import { field, toast } from "../../../ui/parts.js";
import { gateway } from "../calls.js";
import { isProxy } from "./integration.js";

const HEADERS = "Content-Type,X-Amz-Date,Authorization,X-Api-Key,X-Amz-Security-Token";
const VERBS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
const FAULTS = ["DEFAULT_4XX", "DEFAULT_5XX"];
const PREFIX = "Access-Control-Allow-";

export async function cors(api, resource, load) {
  const has = Object.keys(resource.resourceMethods ?? {});
  const proxied = Object.entries(resource.resourceMethods ?? {}).filter(([, one]) => isProxy(one.methodIntegration)).map(([name]) => name);
  const verbs = several("Allowed methods", VERBS, has.includes("ANY") ? VERBS : [...has, "OPTIONS"]);
  const credentials = flag("Allow credentials (cookies)");
  const faults = flag("Also on the API's own 4xx and 5xx answers", { checked: true }, "A refused call is then readable for the page, too.");
  const done = await ask(`Enable CORS on ${resource.path}`, h("div", {},
    field("Allowed origin", h("input", { name: "origin", value: "*", required: true, spellcheck: "false" })),
    verbs,
    field("Allowed headers", h("input", { name: "headers", value: HEADERS, spellcheck: "false" })),
    credentials, faults,
    proxied.length > 0 && h("p", { class: "soft" }, `${proxied.join(", ")}: the backend's answer goes out as it is, so the function itself must answer with ${PREFIX}Origin.`)), {
    action: "Enable CORS",
    work: ({ origin, headers }) => enableCors(api, resource, {
      origin, headers, verbs: verbs.values(), credentials: credentials.box.checked, faults: faults.box.checked,
    }),
  });
  if (!done) return;
  toast("CORS is enabled. Deploy the API for it to take effect.");
  await load(resource.id);
}

export async function enableCors(api, resource, { origin = "*", headers = HEADERS, verbs = VERBS, credentials = false, faults = false }) {
  const own = { Origin: origin, ...(credentials ? { Credentials: "true" } : {}) };
  const whole = { ...own, Methods: verbs.join(","), Headers: words(headers).join(",") };
  await options(`/restapis/${api.id}/resources/${resource.id}/methods/OPTIONS`, resource.resourceMethods?.OPTIONS, whole);
  for (const [name, one] of Object.entries(resource.resourceMethods ?? {})) {
    if (name !== "OPTIONS" && one.methodIntegration && !isProxy(one.methodIntegration)) {
      await onAnswers(`/restapis/${api.id}/resources/${resource.id}/methods/${name}`, own);
    }
  }
  if (faults) {
    for (const kind of FAULTS) await gateway("PUT", `/restapis/${api.id}/gatewayresponses/${kind}`, { responseParameters: named("gatewayresponse.header.", own) });
  }
  return resource;
}

// Values as API Gateway writes fixed ones: in single quotes.
function named(prefix, values) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}${PREFIX}${name}`, `'${value}'`]));
}

function declared(values) {
  return Object.fromEntries(Object.keys(values).map((name) => [`method.response.header.${PREFIX}${name}`, false]));
}

// The method is made anew: whatever it answered before, it now answers this.
async function options(place, old, values) {
  if (old) await gateway("DELETE", place);
  await gateway("PUT", place, { authorizationType: "NONE" });
  await gateway("PUT", `${place}/responses/200`, { responseModels: { "application/json": "Empty" }, responseParameters: declared(values) });
  await gateway("PUT", `${place}/integration`, { type: "MOCK", requestTemplates: { "application/json": '{"statusCode": 200}' } });
  await gateway("PUT", `${place}/integration/responses/200`, { responseParameters: named("method.response.header.", values), responseTemplates: { "application/json": "" } });
}

// Each answer that a method maps gets the headers beside those that it has.
async function onAnswers(place, values) {
  const method = await gateway("GET", place);
  for (const [status, { statusCode, ...answer }] of Object.entries(method.methodIntegration.integrationResponses ?? {})) {
    const { statusCode: _, ...told } = method.methodResponses?.[status] ?? {};
    if (method.methodResponses?.[status]) await gateway("DELETE", `${place}/responses/${status}`);
    await gateway("PUT", `${place}/responses/${status}`, { ...told, responseParameters: { ...told.responseParameters, ...declared(values) } });
    await gateway("PUT", `${place}/integration/responses/${status}`, { ...answer, responseParameters: { ...answer.responseParameters, ...named("method.response.header.", values) } });
  }
}
