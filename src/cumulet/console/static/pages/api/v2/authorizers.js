// Authorizers of an HTTP or WebSocket API: issuers of JWTs (HTTP), and functions.

import { refresh } from "../../../main.js";
import { region } from "../../../aws/session.js";
import { h } from "../../../ui/dom.js";
import { ask, confirmDeletion } from "../../../ui/dialog.js";
import { flag, suggested, words } from "../../../ui/form.js";
import { badge, button, cardWith, field, select, table } from "../../../ui/parts.js";
import { allowCalls, allV2, apiArn, functionArn, functionOf, functions, functionUri, gateway, userPools } from "../calls.js";

export async function authorizers(api) {
  const found = await allV2(`/${api.apiId}/authorizers`);
  return cardWith("Authorizers", button("Create authorizer", () => edit(api), "small"), table([
    { title: "Name", value: (row) => h("button", { type: "button", class: "button small", "aria-label": `Edit ${row.name}`, onclick: () => edit(api, row) }, row.name) },
    { title: "Kind", value: (row) => badge(row.authorizerType), narrow: true },
    { title: "Decided by", value: (row) => h("code", {}, row.jwtConfiguration?.issuer ?? functionOf(row.authorizerUri)?.split(":")[6] ?? "–") },
    { title: "Looks at", value: (row) => h("code", {}, (row.identitySource ?? []).join(", ")) },
    { title: "", value: (row) => button("Delete", () => remove(api, row), "small danger", { "aria-label": `Delete ${row.name}` }), narrow: true },
  ], found, "No authorizers yet."));
}

async function edit(api, row = {}) {
  const isSocket = api.protocolType === "WEBSOCKET";
  const [known, pools] = await Promise.all([functions(), isSocket ? [] : userPools().catch(() => [])]);
  const kind = select(isSocket ? [["REQUEST", "Function"]] : [["JWT", "Tokens of an issuer (JWT)"], ["REQUEST", "Function"]], row.authorizerType ?? (isSocket ? "REQUEST" : "JWT"), { disabled: Boolean(row.authorizerId), onchange: show });
  const called = suggested("Function", known.map((one) => one.name), { value: functionOf(row.authorizerUri)?.split(":")[6] ?? "" });
  const issuer = suggested("Issuer", pools.map((one) => `https://cognito-idp.${region()}.amazonaws.com/${one.id}`), { value: row.jwtConfiguration?.issuer ?? "" }, "A user pool's, or any that has OpenID's pages.");
  const audience = field("Audience", h("input", { name: "audience", spellcheck: "false", value: (row.jwtConfiguration?.audience ?? []).join(" ") }), "Ids of clients, parted by blanks.");
  const simple = flag("Answers simply: { isAuthorized: true }", { checked: row.enableSimpleResponses ?? true });
  const source = h("input", { spellcheck: "false", value: (row.identitySource ?? [isSocket ? "route.request.header.Authorization" : "$request.header.Authorization"]).join(" ") });
  function show() {
    const jwt = kind.value === "JWT";
    called.hidden = jwt;
    called.input.required = !jwt;
    issuer.hidden = audience.hidden = !jwt;
    issuer.input.required = jwt;
    simple.hidden = jwt || isSocket;
  }
  show();
  const done = await ask(row.authorizerId ? `Authorizer ${row.name}` : "Create authorizer", h("div", {},
    field("Name", h("input", { name: "name", required: true, value: row.name ?? "" })), field("Kind", kind), called, issuer, audience,
    field("Looks at", source), simple), {
    work: async (values) => {
      const jwt = kind.value === "JWT";
      const arn = jwt ? undefined : functionArn(called.input.value, known);
      const body = {
        name: values.name, authorizerType: kind.value, identitySource: words(source.value),
        ...(jwt
          ? { jwtConfiguration: { issuer: issuer.input.value, audience: words(values.audience) } }
          : { authorizerUri: functionUri(arn), ...(isSocket ? {} : { authorizerPayloadFormatVersion: "2.0", enableSimpleResponses: simple.box.checked }) }),
      };
      const place = `/v2/apis/${api.apiId}/authorizers`;
      const made = row.authorizerId ? await gateway("PATCH", `${place}/${row.authorizerId}`, body) : await gateway("POST", place, body);
      if (arn && arn !== functionOf(row.authorizerUri)) await allowCalls(arn, apiArn(api.apiId, `authorizers/${made.authorizerId}`));
    },
  });
  if (done) refresh();
}

async function remove(api, row) {
  if (await confirmDeletion("authorizer", row.name, () => gateway("DELETE", `/v2/apis/${api.apiId}/authorizers/${row.authorizerId}`))) refresh();
}
