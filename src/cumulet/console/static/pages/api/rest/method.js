// One method: who may call it, its backend, its answers, and a try of it.

import { h } from "../../../ui/dom.js";
import { ask, confirmDeletion } from "../../../ui/dialog.js";
import { flag, more, pairs, words } from "../../../ui/form.js";
import { badge, button, card, cardWith, facts, field, select } from "../../../ui/parts.js";
import { all, functionOf, functions, gateway, listChanges, mapChanges, patch } from "../calls.js";
import { integrationFields, isProxy, putIntegration } from "./integration.js";
import { answers } from "./answers.js";
import { trial } from "./trial.js";

const VERBS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY"];

const at = (api, resource, verb) => `/restapis/${api.id}/resources/${resource.id}/methods/${verb}`;

export async function method(api, resource, verb, load) {
  const about = await gateway("GET", at(api, resource, verb));
  const again = () => load(resource.id, verb);
  const integration = about.methodIntegration;
  const called = functionOf(integration?.uri);
  const authorizer = about.authorizerId && await gateway("GET", `/restapis/${api.id}/authorizers/${about.authorizerId}`).catch(() => undefined);
  return h("div", {},
    cardWith(`${verb} ${resource.path}`, [
      button("Edit", () => editRequest(api, resource, verb, about, again), "small", { "aria-label": "Edit who may call it" }),
      button("Delete method", () => remove(api, resource, verb, load), "small danger"),
    ], facts([
      ["Authorization", authorizer ? `${about.authorizationType}: ${authorizer.name}` : about.authorizationType],
      about.authorizationScopes?.length > 0 && ["Scopes", about.authorizationScopes.join(" ")],
      ["API key", about.apiKeyRequired ? "✓ required" : "not required"],
      ["Validator", about.requestValidatorId ? h("code", {}, about.requestValidatorId) : "none"],
      Object.keys(about.requestParameters ?? {}).length > 0 && ["Parameters", Object.entries(about.requestParameters).map(([name, must]) => h("div", {}, h("code", {}, name), must ? " (required)" : ""))],
      Object.keys(about.requestModels ?? {}).length > 0 && ["Models", Object.entries(about.requestModels).map(([kind, model]) => h("div", {}, `${kind}: ${model}`))],
    ])),
    cardWith("Backend", button(integration ? "Edit" : "Set", () => editIntegration(api, resource, verb, integration, again), "small", { "aria-label": "Edit the backend" }),
      integration ? facts([
        ["Type", badge(integration.type)],
        called ? ["Function", h("a", { href: `#/functions/${called.split(":")[6]}` }, called)] : integration.uri && ["Address", h("code", {}, `${integration.httpMethod ?? ""} ${integration.uri}`)],
        integration.credentials && ["Role", h("code", {}, integration.credentials)],
        ["Time limit", `${integration.timeoutInMillis ?? 29000} ms`],
        Object.keys(integration.requestTemplates ?? {}).length > 0 && ["Templates", Object.entries(integration.requestTemplates).map(([kind, text]) => [h("div", { class: "soft" }, kind), h("pre", { class: "box", tabindex: "0" }, text ?? "")])],
      ]) : h("div", { class: "empty" }, "None yet: calls fail until it has one.")),
    integration && !isProxy(integration) && answers(at(api, resource, verb), about, again),
    card("Try it", trial(api, resource, verb)));
}

async function remove(api, resource, verb, load) {
  if (await confirmDeletion("method", verb, () => gateway("DELETE", at(api, resource, verb)))) await load(resource.id);
}

// Fields of a method's request; `read()` gives them as PutMethod takes them.
async function requestFields(api, about = {}) {
  const [authorizers, validators] = await Promise.all([
    all(`/restapis/${api.id}/authorizers`), all(`/restapis/${api.id}/requestvalidators`),
  ]);
  const known = about.authorizerId ?? about.authorizationType ?? "NONE";
  const who = select([["NONE", "Anyone"], ["AWS_IAM", "IAM: signed requests"], ...authorizers.map((one) => [one.id, `${one.type === "COGNITO_USER_POOLS" ? "Cognito" : "Lambda"} authorizer: ${one.name}`])], known, { onchange: show });
  const scopes = h("input", { value: (about.authorizationScopes ?? []).join(" "), spellcheck: "false" });
  const scoped = field("OAuth scopes", scopes, "Parted by blanks; empty: an identity token is asked for.");
  const key = flag("API key required", { checked: about.apiKeyRequired });
  const validator = select([["", "none"], ...validators.map((one) => [one.id, one.name])], about.requestValidatorId ?? "");
  const models = pairs("Models of the body", about.requestModels ?? {}, { name: "application/json", value: "model" });
  const must = Object.fromEntries(Object.entries(about.requestParameters ?? {}).map(([name, value]) => [name, String(value)]));
  const parameters = pairs("Parameters", must, { name: "method.request.querystring.id", value: "true: required" });
  function show() {
    scoped.hidden = authorizers.find((one) => one.id === who.value)?.type !== "COGNITO_USER_POOLS";
  }
  show();
  const read = () => {
    const authorizer = authorizers.find((one) => one.id === who.value);
    return {
      authorizationType: authorizer ? (authorizer.type === "COGNITO_USER_POOLS" ? authorizer.type : "CUSTOM") : who.value,
      authorizerId: authorizer?.id,
      authorizationScopes: authorizer?.type === "COGNITO_USER_POOLS" ? words(scopes.value) : [],
      apiKeyRequired: key.box.checked,
      requestValidatorId: validator.value || undefined,
      requestModels: models.values(),
      requestParameters: Object.fromEntries(Object.entries(parameters.values()).map(([name, value]) => [name, value === "true"])),
    };
  };
  const element = h("div", {}, field("Authorization", who), scoped, key, more("Validation", field("Validator", validator), models, parameters));
  return { element, read };
}

export async function createMethod(api, resource, load) {
  const [known, request] = await Promise.all([functions(), requestFields(api)]);
  const taken = Object.keys(resource.resourceMethods ?? {});
  const integration = integrationFields(known);
  const verb = select(VERBS.filter((one) => !taken.includes(one)), undefined, { name: "verb" });
  const made = await ask("Create method", h("div", {}, field("Method", verb), integration.element, request.element), {
    action: "Create method",
    work: async (values) => {
      const backend = integration.read();
      await gateway("PUT", at(api, resource, values.verb), request.read());
      try {
        await putIntegration(api, resource, values.verb, backend);
      } catch (cause) {
        // What could not be made whole is not left half made.
        await gateway("DELETE", at(api, resource, values.verb));
        throw cause;
      }
      return values.verb;
    },
  });
  if (made) await load(resource.id, made);
}

async function editRequest(api, resource, verb, about, again) {
  const request = await requestFields(api, about);
  const done = await ask(`${verb} ${resource.path}`, request.element, {
    work: async () => {
      const wanted = request.read();
      const texts = (found) => Object.fromEntries(Object.entries(found ?? {}).map(([name, value]) => [name, String(value)]));
      await patch(at(api, resource, verb), {
        "/authorizationType": wanted.authorizationType, "/authorizerId": wanted.authorizerId,
        "/apiKeyRequired": wanted.apiKeyRequired, "/requestValidatorId": wanted.requestValidatorId ?? "",
      }, [
        ...listChanges("/authorizationScopes", about.authorizationScopes, wanted.authorizationScopes),
        ...mapChanges("/requestModels", about.requestModels, wanted.requestModels),
        ...mapChanges("/requestParameters", texts(about.requestParameters), texts(wanted.requestParameters)),
      ]);
    },
  });
  if (done) await again();
}

async function editIntegration(api, resource, verb, old, again) {
  const integration = integrationFields(await functions(), old);
  const done = await ask(`Backend of ${verb} ${resource.path}`, integration.element, {
    work: () => putIntegration(api, resource, verb, integration.read(), old).then(() => true),
  });
  if (done) await again();
}
