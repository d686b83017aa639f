// One REST API: its parts behind tabs, and its deployment.

import { refresh } from "../../../main.js";
import { h } from "../../../ui/dom.js";
import { ask, confirmDeletion } from "../../../ui/dialog.js";
import { suggested } from "../../../ui/form.js";
import { badge, button, field, tabs, toast } from "../../../ui/parts.js";
import { gateway } from "../calls.js";
import { dashboard } from "../stage/dashboard.js";
import { authorizers } from "./authorizers.js";
import { policy } from "./policy.js";
import { resources } from "./resources.js";
import { settings } from "./settings.js";
import { stages } from "./stages.js";
import { validation } from "./validation.js";

export default async function restApi(id, part, ...rest) {
  const api = await gateway("GET", `/restapis/${id}`);
  return h("div", {},
    h("div", { class: "head" }, h("div", { class: "crumbs" }, h("a", { href: "#/apis" }, "APIs")), h("h1", {}, api.name), badge("REST"),
      h("div", { class: "actions" },
        button("Deploy", () => deploy(api), "main-one"),
        button("Delete", () => remove(api), "danger"))),
    tabs({
      Resources: () => resources(api, ...rest),
      Stages: () => stages(api),
      Dashboard: async () => dashboard(api, await stagesOf(api)),
      Authorizers: () => authorizers(api),
      Validation: () => validation(api),
      Policy: () => policy(api),
      Settings: () => settings(api),
    }, part, `#/apis/${id}`));
}

async function stagesOf(api) {
  return (await gateway("GET", `/restapis/${api.id}/stages`)).item ?? [];
}

async function deploy(api) {
  const known = (await stagesOf(api)).map((one) => one.stageName);
  const done = await ask("Deploy", h("div", {},
    suggested("Stage", known, { name: "stage", required: true, pattern: "[A-Za-z0-9_\\-]{1,128}", value: known[0] ?? "" }, "A stage that there is, or the name of a new one."),
    field("Description", h("input", { name: "description" }))), {
    action: "Deploy",
    work: async ({ stage, description }) => {
      await gateway("POST", `/restapis/${api.id}/deployments`, { stageName: stage, description: description || undefined });
      return stage;
    },
  });
  if (!done) return;
  toast(`${api.name} is deployed to ${done}.`);
  location.hash = `#/apis/${api.id}/stages`;
  refresh();
}

async function remove(api) {
  if (await confirmDeletion("API", api.name, () => gateway("DELETE", `/restapis/${api.id}`))) location.hash = "#/apis";
}
