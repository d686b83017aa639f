// AWS operations from the browser: the same requests, signatures and permissions as any client's.

import { escapedPath, queryText, signedHeaders } from "./sign.js";
import { region, session, signOut } from "./session.js";
import { fromXml } from "./xml.js";

// What a service calls itself: in signatures, and in its protocol.
const JSON_SERVICES = {
  dynamodb: { target: "DynamoDB_20120810", version: "1.0" },
  streams: { target: "DynamoDBStreams_20120810", version: "1.0", signing: "dynamodb" },
  sqs: { target: "AmazonSQS", version: "1.0" },
  logs: { target: "Logs_20140328", version: "1.1" },
  cognito: { target: "AWSCognitoIdentityProviderService", version: "1.1", signing: "cognito-idp" },
  monitoring: { target: "GraniteServiceVersion20100801", version: "1.0" },
  events: { target: "AWSEvents", version: "1.1" },
  ce: { target: "AWSInsightsIndexService", version: "1.1" },
  ssm: { target: "AmazonSSM", version: "1.1" },
};
const QUERY_SERVICES = {
  iam: "2010-05-08",
  sts: "2011-06-15",
  cloudformation: "2010-05-15",
  sns: "2010-03-31",
  ec2: "2016-11-15",
};

export class Fault extends Error {
  // `details`: whatever else the answer said, as an object.
  constructor(code, message, status, requestId, details = {}) {
    super(message || code);
    this.details = details;
    this.code = code;
    this.status = status;
    this.requestId = requestId;
  }
}

async function send({ method = "POST", path = "/", query, headers = {}, body, service, signing, signal }) {
  const held = session();
  if (!held) throw new Fault("SignedOut", "You are signed out.", 401);
  const signed = await signedHeaders(held, {
    method, path, query, headers, body, region: region(), host: location.host, service: signing ?? service,
  });
  const text = queryText(query);
  let answer;
  try {
    answer = await fetch(escapedPath(path) + (text ? `?${text}` : ""), { method, headers: signed, body, signal, cache: "no-store" });
  } catch (cause) {
    if (cause.name === "AbortError") throw cause;
    throw new Fault("NoAnswer", "The cloud does not answer. Is it running?", 0);
  }
  if (!answer.ok) throw await faultOf(answer);
  return answer;
}

async function faultOf(answer) {
  const text = await answer.text();
  const requestId = answer.headers.get("x-amzn-requestid") ?? answer.headers.get("x-amz-request-id") ?? "";
  let code = answer.headers.get("x-amzn-errortype") ?? "";
  let message = "";
  let details;
  if (text.startsWith("<")) {
    const found = fromXml(text);
    const error = found.Error ?? found.Errors?.Error ?? found;
    code ||= error.Code ?? "";
    message = error.Message ?? "";
  } else {
    try {
      const found = JSON.parse(text);
      code ||= found.__type ?? found.code ?? "";
      message = found.message ?? found.Message ?? "";
      details = found;
    } catch {
      message = text.slice(0, 500);
    }
  }
  code = code.split("#").pop().split(":")[0] || `HTTP ${answer.status}`;
  if (["ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"].includes(code)) signOut();
  return new Fault(code, message, answer.status, requestId, details);
}

// An operation by its AWS name, of a service with a JSON or a query protocol.
export async function call(service, operation, input = {}, { signal } = {}) {
  const json = JSON_SERVICES[service];
  if (json) {
    const headers = { "content-type": `application/x-amz-json-${json.version}`, "x-amz-target": `${json.target}.${operation}` };
    const answer = await send({ service, signing: json.signing, headers, body: JSON.stringify(input), signal });
    const text = await answer.text();
    return text ? JSON.parse(text) : {};
  }
  const form = new URLSearchParams({ Action: operation, Version: QUERY_SERVICES[service] });
  flatten(form, "", input);
  const headers = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
  const answer = await send({ service, headers, body: form.toString(), signal });
  const found = fromXml(await answer.text());
  return found[`${operation}Result`] ?? found;
}

function flatten(form, prefix, value) {
  if (value === undefined || value === null) return;
  if (Array.isArray(value)) {
    value.forEach((one, index) => flatten(form, `${prefix}.member.${index + 1}`, one));
  } else if (typeof value === "object") {
    for (const [name, inner] of Object.entries(value)) flatten(form, prefix ? `${prefix}.${name}` : name, inner);
  } else {
    form.append(prefix, String(value));
  }
}

// A request of a service with paths (`lambda`, `apigateway`, `xray`); answers parsed JSON.
export async function rest(service, method, path, { query, input, headers, signal } = {}) {
  const body = input === undefined ? undefined : JSON.stringify(input);
  const all = { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers };
  const answer = await send({ service, method, path, query, headers: all, body, signal });
  const text = await answer.text();
  return text ? JSON.parse(text) : {};
}

// The same with the raw answer, for bodies that are not JSON and for headers that tell something.
export async function raw(service, method, path, { query, headers, body, signal } = {}) {
  return send({ service, method, path, query, headers, body, signal });
}

// A request of S3; the answer's XML as an object.
export async function s3(method, path, { query, headers, body, signal } = {}) {
  const answer = await send({ service: "s3", method, path, query, headers, body, signal });
  const text = await answer.text();
  return text.startsWith("<") ? fromXml(text) : {};
}

// One of the cloud's own pages, which the root of the first account may ask.
export async function own(page, input = {}) {
  const answer = await send({
    service: "cumulet", path: `/_cumulet/${page}`, headers: { "content-type": "application/json" }, body: JSON.stringify(input),
  });
  return answer.json();
}

// Every page of a list: `ask` gets the token of the next one, `next` finds it in an answer.
export async function everything(ask, list, next, pagesMax = 50) {
  const found = [];
  let token;
  for (let page = 0; page < pagesMax; page++) {
    const answer = await ask(token);
    found.push(...asList(list(answer)));
    token = next(answer);
    if (!token) break;
  }
  return found;
}

export function asList(value) {
  if (value === undefined || value === null || value === "") return [];
  return Array.isArray(value) ? value : [value];
}
