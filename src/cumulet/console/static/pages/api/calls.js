// Requests that the pages of APIs share: whole lists, patches, and functions to choose from.

import { call, everything, rest } from "../../aws/call.js";
import { region, session } from "../../aws/session.js";
import { sha256 } from "../../aws/sign.js";

export const gateway = (method, path, input, query) => rest("apigateway", method, path, { input, query });

export function all(path, query = {}) {
  return everything((position) => gateway("GET", path, undefined, { limit: 500, ...query, position }), (a) => a.item, (a) => a.position);
}

// Lists of HTTP and WebSocket APIs, which page otherwise.
export function allV2(path) {
  return everything((nextToken) => gateway("GET", `/v2/apis${path}`, undefined, { maxResults: 500, nextToken }), (a) => a.items, (a) => a.nextToken);
}

// `changes`: { path: value }; a value of null removes, others replace. `others` are whole operations.
export function patch(path, changes, others = []) {
  const patchOperations = [...Object.entries(changes).filter(([, value]) => value !== undefined)
    .map(([at, value]) => (value === null ? { op: "remove", path: at } : { op: "replace", path: at, value: String(value) })), ...others];
  return patchOperations.length ? gateway("PATCH", path, { patchOperations }) : undefined;
}

// The operations that make one map of texts another, below a path.
export function mapChanges(below, old = {}, wanted = {}) {
  const at = (name) => `${below}/${escapedPart(name)}`;
  return [
    ...Object.keys(old).filter((name) => !(name in wanted)).map((name) => ({ op: "remove", path: at(name) })),
    ...Object.entries(wanted).filter(([name, value]) => old[name] !== value)
      .map(([name, value]) => ({ op: name in old ? "replace" : "add", path: at(name), value })),
  ];
}

// The same for a list of texts: by value, or where `byPath` says so, each at a path of its own.
export function listChanges(path, old = [], wanted = [], byPath = false) {
  const change = (op) => (value) => (byPath ? { op, path: `${path}/${escapedPart(value)}` } : { op, path, value });
  return [
    ...old.filter((one) => !wanted.includes(one)).map(change("remove")),
    ...wanted.filter((one) => !old.includes(one)).map(change("add")),
  ];
}

export function escapedPart(text) {
  return text.replaceAll("~", "~0").replaceAll("/", "~1");
}

// Names and ARNs of functions; none where the user may not list them.
export async function functions() {
  try {
    const found = await everything((Marker) => rest("lambda", "GET", "/2015-03-31/functions", { query: { Marker } }), (a) => a.Functions, (a) => a.NextMarker);
    return found.map((one) => ({ name: one.FunctionName, arn: one.FunctionArn }));
  } catch {
    return [];
  }
}

// The ARN of a function that was typed as a name or as an ARN. Throws an Error for what is neither.
export function functionArn(typed, known) {
  const text = typed.trim();
  const found = known.find((one) => one.name === text);
  if (found) return found.arn;
  if (text.startsWith("arn:")) return text;
  if (/^[\w:$-]+$/.test(text)) return `arn:aws:lambda:${region()}:${session().account}:function:${text}`;
  throw new Error("Name a function, or give its ARN.");
}

export function functionUri(arn) {
  return `arn:aws:apigateway:${region()}:lambda:path/2015-03-31/functions/${arn}/invocations`;
}

// The function's ARN in an integration's or an authorizer's URI; undefined where it calls something else.
export function functionOf(uri) {
  return /functions\/(.+)\/invocations$/.exec(uri ?? "")?.[1] ?? /^(arn:[\w-]+:lambda:.+)$/.exec(uri ?? "")?.[1];
}

export const apiArn = (id, rest) => `arn:aws:execute-api:${region()}:${session().account}:${id}/${rest}`;

// A function may be called by an API only where its policy says so; saying it twice is not needed.
export async function allowCalls(arn, SourceArn) {
  const StatementId = `api-${(await sha256(`${arn} ${SourceArn}`)).slice(0, 24)}`;
  const [, name, qualifier] = /:function:([^:]+)(?::(.+))?$/.exec(arn) ?? [];
  if (!name || arn.includes("${")) return;
  try {
    await rest("lambda", "POST", `/2015-03-31/functions/${name}/policy`, {
      input: { StatementId, Action: "lambda:InvokeFunction", Principal: "apigateway.amazonaws.com", SourceArn },
      query: { Qualifier: qualifier },
    });
  } catch (cause) {
    if (cause.code !== "ResourceConflictException") throw cause;
  }
}

export async function userPools() {
  const found = await everything((NextToken) => call("cognito", "ListUserPools", { MaxResults: 60, NextToken }), (a) => a.UserPools, (a) => a.NextToken);
  return found.map((one) => ({ name: one.Name, id: one.Id, arn: `arn:aws:cognito-idp:${region()}:${session().account}:userpool/${one.Id}` }));
}

// Where an API is called, as programs on this machine reach it: without names that they would look up.
export function addressOf(id, stage, kind = "REST") {
  const origin = location.origin.replace("//console.", "//");
  const slash = kind === "WEBSOCKET" ? "" : "/";
  return `${kind === "WEBSOCKET" ? origin.replace(/^http/, "ws") : origin}/_aws/execute-api/${id}/${stage.replace("$", "%24")}${slash}`;
}
