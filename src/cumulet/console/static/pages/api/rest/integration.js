// The backend of a REST method: the fields that describe it, and the requests that set it.

import { h } from "../../../ui/dom.js";
import { more, pairs, suggested } from "../../../ui/form.js";
import { field, select } from "../../../ui/parts.js";
import { allowCalls, apiArn, functionArn, functionOf, functionUri, gateway } from "../calls.js";

const KINDS = [
  ["function", "Function (proxy)"],
  ["mapped-function", "Function, with mapping templates"],
  ["http-proxy", "HTTP address (proxy)"],
  ["http", "HTTP address, with mapping templates"],
  ["mock", "Mock: answers without a backend"],
  ["service", "Another AWS service"],
];
const TYPES = { function: "AWS_PROXY", "mapped-function": "AWS", "http-proxy": "HTTP_PROXY", http: "HTTP", mock: "MOCK", service: "AWS" };
const PROXIES = ["AWS_PROXY", "HTTP_PROXY"];
const VERBS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY"];
const MOCK_REQUEST = '{"statusCode": 200}';

export const isProxy = (integration) => PROXIES.includes(integration?.type);

function kindOf(integration) {
  if (!integration?.type) return "function";
  const calls = functionOf(integration.uri);
  return { AWS_PROXY: "function", AWS: calls ? "mapped-function" : "service", HTTP_PROXY: "http-proxy", HTTP: "http", MOCK: "mock" }[integration.type];
}

// `about`: the integration there is, if any. `read()` gives the new one, and the function it calls.
export function integrationFields(known, about = {}) {
  const first = kindOf(about);
  const kind = select(KINDS, first, { onchange: show });
  const called = suggested("Function", known.map((one) => one.name), { value: nameOf(functionOf(about.uri), known) }, "A name, or an ARN.");
  const address = h("input", { type: "text", spellcheck: "false", placeholder: "https://example.com/{proxy}", value: first.startsWith("http") ? about.uri ?? "" : "" });
  const verb = select(VERBS, about.httpMethod ?? "GET");
  const uri = h("input", { spellcheck: "false", placeholder: "arn:aws:apigateway:us-east-1:sqs:path/000000000000/queue", value: first === "service" ? about.uri ?? "" : "" });
  const role = h("input", { spellcheck: "false", placeholder: "arn:aws:iam::…:role/…", value: about.credentials ?? "" });
  const limit = h("input", { type: "number", min: "50", max: "29000", value: about.timeoutInMillis ?? 29000 });
  const passthrough = select(["WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"], about.passthroughBehavior ?? "WHEN_NO_MATCH");
  const parameters = pairs("Request parameters", about.requestParameters, { name: "integration.request.querystring.id", value: "method.request.path.id" });
  const templates = pairs("Request templates", about.requestTemplates, { name: "application/json", value: "template" });
  const places = { called: called, address: field("Address", address), verb: field("HTTP method of the call", verb), uri: field("ARN of the action", uri), role: field("Role that calls it", role, "Empty: the function's own policy decides.") };
  const mapping = h("div", {}, field("Bodies without a template", passthrough), templates);
  function show() {
    const chosen = kind.value;
    const isFunction = chosen.endsWith("function");
    places.called.hidden = !isFunction;
    places.address.hidden = !chosen.startsWith("http");
    places.verb.hidden = !(chosen.startsWith("http") || chosen === "service");
    places.uri.hidden = chosen !== "service";
    places.role.hidden = !(isFunction || chosen === "service");
    mapping.hidden = PROXIES.includes(TYPES[chosen]);
    called.input.required = isFunction;
    address.required = chosen.startsWith("http");
    uri.required = chosen === "service";
  }
  function read() {
    const chosen = kind.value;
    const isFunction = chosen.endsWith("function");
    const arn = isFunction ? functionArn(called.input.value, known) : undefined;
    const proxied = PROXIES.includes(TYPES[chosen]);
    const requestTemplates = templates.values();
    if (chosen === "mock" && !Object.keys(requestTemplates).length) requestTemplates["application/json"] = MOCK_REQUEST;
    return {
      arn,
      integration: {
        type: TYPES[chosen],
        httpMethod: isFunction ? "POST" : chosen === "mock" ? undefined : verb.value,
        uri: isFunction ? functionUri(arn) : chosen.startsWith("http") ? address.value : chosen === "service" ? uri.value : undefined,
        credentials: role.value || undefined,
        timeoutInMillis: Number(limit.value),
        requestParameters: parameters.values(),
        ...(proxied ? {} : { passthroughBehavior: passthrough.value, requestTemplates }),
      },
    };
  }
  show();
  const element = h("div", {}, field("Backend", kind), Object.values(places),
    more("Time limit, parameters and templates", field("Time limit (ms)", limit), parameters, mapping));
  return { element, read };
}

function nameOf(arn, known) {
  return known.find((one) => one.arn === arn)?.name ?? arn ?? "";
}

// Sets a method's backend. Where it maps, it gets the answers that it had, or a first one with 200.
export async function putIntegration(api, resource, method, { arn, integration }, old) {
  const place = `/restapis/${api.id}/resources/${resource.id}/methods/${method}`;
  await gateway("PUT", `${place}/integration`, integration);
  if (arn && !integration.credentials && arn !== functionOf(old?.uri)) await allowCalls(arn, apiArn(api.id, `*/${method === "ANY" ? "*" : method}${resource.path.replace(/\{[^}]+\}/g, "*")}`));
  if (isProxy(integration)) return;
  const kept = Object.entries(old?.integrationResponses ?? {});
  for (const [status, { statusCode, ...answer }] of kept) await gateway("PUT", `${place}/integration/responses/${status}`, answer);
  if (kept.length) return;
  const { methodResponses } = await gateway("GET", place);
  if (!methodResponses?.["200"]) await gateway("PUT", `${place}/responses/200`, { responseModels: { "application/json": "Empty" } });
  await gateway("PUT", `${place}/integration/responses/200`, { responseTemplates: { "application/json": "" } });
}
