// One HTTP or WebSocket API: routes, backends, authorizers, stages, CORS.

import { refresh } from "../../../main.js";
import { h } from "../../../ui/dom.js";
import { ask, confirmDeletion } from "../../../ui/dialog.js";
import { badge, button, facts, field, tabs, toast } from "../../../ui/parts.js";
import { when } from "../../../ui/words.js";
import { suggested } from "../../../ui/form.js";
import { allV2, gateway } from "../calls.js";
import { authorizers } from "./authorizers.js";
import { cors } from "./cors.js";
import { integrations } from "./integrations.js";
import { routes } from "./routes.js";
import { stages } from "./stages.js";
import { talk } from "./talk.js";

export default async function httpApi(id, part) {
  const api = await gateway("GET", `/v2/apis/${id}`);
  const isSocket = api.protocolType === "WEBSOCKET";
  return h("div", {},
    h("div", { class: "head" }, h("div", { class: "crumbs" }, h("a", { href: "#/apis" }, "APIs")), h("h1", {}, api.name), badge(isSocket ? "WebSocket" : "HTTP"),
      h("div", { class: "actions" },
        button("Edit", () => edit(api)),
        button("Deploy", () => deploy(api), "main-one"),
        button("Delete", () => remove(api), "danger"))),
    h("section", { class: "card" }, facts([
      ["Id", h("code", {}, id)], ["Made", when(api.createdDate)], api.description && ["Description", api.description],
      isSocket && ["Route of a message", h("code", {}, api.routeSelectionExpression)],
    ])),
    tabs({
      Routes: () => routes(api),
      Backends: () => integrations(api),
      Authorizers: () => authorizers(api),
      Stages: () => stages(api),
      ...(isSocket ? { "Try it": () => talk(api) } : { CORS: () => cors(api) }),
    }, part, `#/apis/v2/${id}`));
}

async function edit(api) {
  const isSocket = api.protocolType === "WEBSOCKET";
  const done = await ask(`Edit ${api.name}`, h("div", {},
    field("API name", h("input", { name: "name", required: true, value: api.name })),
    field("Description", h("input", { name: "description", value: api.description ?? "" })),
    isSocket && field("Route of a message", h("input", { name: "routeSelectionExpression", required: true, value: api.routeSelectionExpression, spellcheck: "false" }))), {
    work: (values) => gateway("PATCH", `/v2/apis/${api.apiId}`, values),
  });
  if (done) refresh();
}

async function deploy(api) {
  const known = await allV2(`/${api.apiId}/stages`);
  const first = known.find((one) => !one.autoDeploy)?.stageName ?? "";
  const done = await ask("Deploy", h("div", {},
    known.some((one) => one.autoDeploy) && h("p", { class: "soft" }, "Stages that deploy by themselves have every change already."),
    suggested("Stage", known.filter((one) => !one.autoDeploy).map((one) => one.stageName), { name: "stage", required: true, value: first }, "A stage that there is, or the name of a new one.")), {
    action: "Deploy",
    work: async ({ stage }) => {
      const place = `/v2/apis/${api.apiId}`;
      if (known.some((one) => one.stageName === stage)) await gateway("POST", `${place}/deployments`, { stageName: stage });
      else {
        const { deploymentId } = await gateway("POST", `${place}/deployments`, {});
        await gateway("POST", `${place}/stages`, { stageName: stage, deploymentId });
      }
      return stage;
    },
  });
  if (!done) return;
  toast(`${api.name} is deployed to ${done}.`);
  location.hash = `#/apis/v2/${api.apiId}/stages`;
  refresh();
}

async function remove(api) {
  if (await confirmDeletion("API", api.name, () => gateway("DELETE", `/v2/apis/${api.apiId}`))) location.hash = "#/apis";
}
