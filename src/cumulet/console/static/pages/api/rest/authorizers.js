// Authorizers of a REST API: functions and user pools that decide who may call.

import { refresh } from "../../../main.js";
import { h, replace } from "../../../ui/dom.js";
import { ask, confirmDeletion } from "../../../ui/dialog.js";
import { several, suggested } from "../../../ui/form.js";
import { badge, button, cardWith, doing, field, select, table } from "../../../ui/parts.js";
import { nameOf, pretty } from "../../../ui/words.js";
import { all, allowCalls, apiArn, functionArn, functionOf, functions, functionUri, gateway, listChanges, patch, userPools } from "../calls.js";
import { headersOf } from "./trial.js";

const KINDS = [["TOKEN", "Function, by a token"], ["REQUEST", "Function, by the whole request"], ["COGNITO_USER_POOLS", "Cognito user pool"]];
const HEADER = "method.request.header.";

export async function authorizers(api) {
  const found = await all(`/restapis/${api.id}/authorizers`);
  const result = h("div", { "aria-live": "polite" });
  return h("div", {}, cardWith("Authorizers", button("Create authorizer", () => edit(api), "small"), table([
    { title: "Name", value: (row) => h("button", { type: "button", class: "button small", "aria-label": `Edit ${row.name}`, onclick: () => edit(api, row) }, row.name) },
    { title: "Kind", value: (row) => badge(row.type), narrow: true },
    { title: "Decided by", value: (row) => h("code", {}, row.providerARNs?.map(nameOf).join(", ") ?? functionOf(row.authorizerUri)?.split(":")[6] ?? row.authorizerUri) },
    { title: "Looks at", value: (row) => h("code", {}, row.identitySource ?? "the whole request") },
    { title: "Kept for", value: (row) => `${row.authorizerResultTtlInSeconds ?? 300} s`, number: true },
    { title: "", value: (row) => [
      button("Test", () => test(api, row, result), "small", { "aria-label": `Test ${row.name}` }), " ",
      button("Delete", () => remove(api, row), "small danger", { "aria-label": `Delete ${row.name}` })], narrow: true },
  ], found, "No authorizers yet.")), result);
}

async function edit(api, row = {}) {
  const [known, pools] = await Promise.all([functions(), userPools().catch(() => [])]);
  const kind = select(KINDS, row.type ?? "TOKEN", { disabled: Boolean(row.id), onchange: show });
  const called = suggested("Function", known.map((one) => one.name), { value: functionOf(row.authorizerUri)?.split(":")[6] ?? "" });
  const chosen = several("User pools", pools.map((one) => [one.arn, `${one.name} (${one.id})`]), row.providerARNs);
  const source = h("input", { value: row.identitySource ?? `${HEADER}Authorization`, spellcheck: "false" });
  const pattern = field("Pattern of the token", h("input", { name: "pattern", value: row.identityValidationExpression ?? "", spellcheck: "false" }), "A regular expression; empty: any.");
  function show() {
    const cognito = kind.value === "COGNITO_USER_POOLS";
    called.hidden = cognito;
    called.input.required = !cognito;
    chosen.hidden = !cognito;
    pattern.hidden = kind.value === "REQUEST";
  }
  show();
  const done = await ask(row.id ? `Authorizer ${row.name}` : "Create authorizer", h("div", {},
    field("Name", h("input", { name: "name", required: true, pattern: "[A-Za-z0-9_\\-]{1,128}", value: row.name ?? "" })),
    field("Kind", kind), called, chosen,
    field("Looks at", source, "Where the token stands; several for a whole request, parted by commas."),
    pattern,
    field("Answers are kept for (seconds)", h("input", { name: "ttl", type: "number", min: "0", max: "3600", value: row.authorizerResultTtlInSeconds ?? 300 }))), {
    work: async (values) => {
      const cognito = kind.value === "COGNITO_USER_POOLS";
      const arn = cognito ? undefined : functionArn(called.input.value, known);
      const body = {
        name: values.name, type: kind.value, identitySource: source.value || undefined,
        identityValidationExpression: (kind.value !== "REQUEST" && values.pattern) || undefined,
        authorizerResultTtlInSeconds: Number(values.ttl),
        ...(cognito ? { providerARNs: chosen.values() } : { authorizerUri: functionUri(arn) }),
      };
      const made = row.id ? await change(api, row, body) : await gateway("POST", `/restapis/${api.id}/authorizers`, body);
      if (arn && arn !== functionOf(row.authorizerUri)) await allowCalls(arn, apiArn(api.id, `authorizers/${made.id}`));
    },
  });
  if (done) refresh();
}

async function change(api, row, body) {
  const told = ["name", "authorizerUri", "identitySource", "identityValidationExpression", "authorizerResultTtlInSeconds"];
  const changed = told.filter((name) => body[name] !== row[name] && (body[name] !== undefined || row[name] !== undefined));
  await patch(`/restapis/${api.id}/authorizers/${row.id}`, Object.fromEntries(changed.map((name) => [`/${name}`, body[name] ?? null])),
    listChanges("/providerARNs", row.providerARNs, body.providerARNs));
  return row;
}

async function test(api, row, place) {
  const name = (row.identitySource ?? "").startsWith(HEADER) ? row.identitySource.slice(HEADER.length).split(",")[0] : "Authorization";
  const headers = h("textarea", { rows: "4", required: true, spellcheck: "false" }, `${name}: `);
  const path = h("input", { value: "/", spellcheck: "false" });
  replace(place, cardWith(`Test ${row.name}`, [], field("Headers, one a line", headers), field("Path and query", path),
    h("p", {}, button("Test", (event) => doing(event, async () => {
      const answer = await gateway("POST", `/restapis/${api.id}/authorizers/${row.id}`, { headers: headersOf(headers.value), pathWithQueryString: path.value });
      replace(shown,
        h("p", {}, badge(answer.clientStatus === 200 ? "✓ let in" : `✗ refused with ${answer.clientStatus}`, answer.clientStatus === 200 ? "good" : "bad"), ` in ${answer.latency} ms`),
        h("pre", { class: "box", tabindex: "0", "aria-label": "What it said" }, pretty({ principalId: answer.principalId, claims: answer.claims, policy: answer.policy && JSON.parse(answer.policy) })),
        h("h3", {}, "Log"), h("pre", { class: "box", tabindex: "0" }, answer.log ?? ""));
    }), "main-one"))));
  const shown = place.firstChild.appendChild(h("div", { "aria-live": "polite" }));
  headers.focus();
}

async function remove(api, row) {
  if (await confirmDeletion("authorizer", row.name, () => gateway("DELETE", `/restapis/${api.id}/authorizers/${row.id}`))) refresh();
}
