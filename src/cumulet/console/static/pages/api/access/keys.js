// API keys: made, shown, switched off, and the plans that they are in.

import { refresh } from "../../../main.js";
import { h } from "../../../ui/dom.js";
import { ask, confirmDeletion } from "../../../ui/dialog.js";
import { badge, button, cardWith, doing, facts, field, table } from "../../../ui/parts.js";
import { when } from "../../../ui/words.js";
import { all, gateway, patch } from "../calls.js";

export async function createKey() {
  const made = await ask("Create key", h("div", {},
    field("Name", h("input", { name: "name", required: true, maxlength: "1024", autocomplete: "off" })),
    field("Description", h("input", { name: "description" })),
    field("Value", h("input", { name: "value", minlength: "20", maxlength: "128", autocomplete: "off", spellcheck: "false" }), "20 to 128 characters; empty: one is made.")), {
    action: "Create key",
    work: ({ name, description, value }) => gateway("POST", "/apikeys", { name, description: description || undefined, value: value || undefined, enabled: true }),
  });
  if (made) location.hash = `#/apis/keys/${made.id}`;
}

export async function key(id) {
  const [about, plans] = await Promise.all([gateway("GET", `/apikeys/${id}`), all("/usageplans", { keyId: id })]);
  const value = h("code", { "aria-live": "polite" }, "••••••••");
  const show = async () => {
    const shown = await gateway("GET", `/apikeys/${id}`, undefined, { includeValue: true });
    value.textContent = shown.value;
  };
  return h("div", {},
    h("div", { class: "head" }, h("div", { class: "crumbs" }, h("a", { href: "#/apis" }, "APIs"), " / API keys"), h("h1", {}, about.name ?? id),
      about.enabled ? badge("✓ enabled", "good") : badge("✗ disabled", "warn"),
      h("div", { class: "actions" },
        button(about.enabled ? "Disable" : "Enable", (event) => doing(event, async () => {
          await patch(`/apikeys/${id}`, { "/enabled": !about.enabled });
          refresh();
        })),
        button("Delete", async () => {
          if (await confirmDeletion("key", about.name ?? id, () => gateway("DELETE", `/apikeys/${id}`))) location.hash = "#/apis";
        }, "danger"))),
    cardWith("Key", button("Show value", (event) => doing(event, show), "small"), facts([
      ["Id", h("code", {}, id)], ["Value", value], ["Description", about.description], ["Made", when(about.createdDate)],
    ])),
    cardWith("Usage plans", [], table([
      { title: "Name", value: (row) => h("a", { href: `#/apis/plans/${row.id}` }, row.name) },
      { title: "Stages", value: (row) => (row.apiStages ?? []).map((stage) => h("div", {}, h("code", {}, `${stage.apiId}/${stage.stage}`))) },
    ], plans, "In none: methods that ask for a key refuse it. Add it on a plan's page.")));
}
