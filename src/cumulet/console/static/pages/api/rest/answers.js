// How a backend's answers become a method's: statuses, patterns, headers and templates.

import { h } from "../../../ui/dom.js";
import { ask, confirmDeletion } from "../../../ui/dialog.js";
import { pairs } from "../../../ui/form.js";
import { button, cardWith, field, table } from "../../../ui/parts.js";
import { gateway } from "../calls.js";

export function answers(place, about, again) {
  const mapped = Object.values(about.methodIntegration.integrationResponses ?? {});
  return cardWith("Answers", button("Add answer", () => edit(place, about, undefined, again), "small"), table([
    { title: "Status", value: (row) => h("button", { type: "button", class: "button small", "aria-label": `Edit the answer ${row.statusCode}`, onclick: () => edit(place, about, row, again) }, row.statusCode), narrow: true },
    { title: "When", value: (row) => (row.selectionPattern ? h("code", {}, row.selectionPattern) : "otherwise") },
    { title: "Headers", value: (row) => Object.entries(row.responseParameters ?? {}).map(([name, value]) => h("div", {}, h("code", {}, `${name.split(".").pop()}: ${value}`))) },
    { title: "Templates", value: (row) => Object.keys(row.responseTemplates ?? {}).join(", ") || "–" },
    { title: "", value: (row) => button("Remove", () => remove(place, row.statusCode, again), "small", { "aria-label": `Remove the answer ${row.statusCode}` }), narrow: true },
  ], mapped, "None yet: every call is answered with 500."));
}

async function edit(place, about, row, again) {
  const status = h("input", { name: "status", required: true, pattern: "[1-5][0-9][0-9]", value: row?.statusCode ?? "", readonly: Boolean(row), inputmode: "numeric" });
  const headers = pairs("Headers", row?.responseParameters, { name: "method.response.header.Name", value: "'value'" });
  const templates = pairs("Templates", row?.responseTemplates ?? { "application/json": "" }, { name: "application/json", value: "template" });
  const done = await ask(row ? `Answer ${row.statusCode}` : "Add answer", h("div", {},
    field("Status", status),
    field("Pattern of the error or status", h("input", { name: "pattern", value: row?.selectionPattern ?? "", spellcheck: "false" }), "A regular expression; empty: all that no other answer takes."),
    headers, templates), {
    work: async (values) => {
      const wanted = headers.values();
      const { statusCode: _, ...told } = about.methodResponses?.[values.status] ?? { responseModels: { "application/json": "Empty" } };
      const responseParameters = { ...told.responseParameters };
      for (const name of Object.keys(wanted)) responseParameters[name] ??= false;
      if (about.methodResponses?.[values.status]) await gateway("DELETE", `${place}/responses/${values.status}`);
      await gateway("PUT", `${place}/responses/${values.status}`, { ...told, responseParameters });
      await gateway("PUT", `${place}/integration/responses/${values.status}`, {
        selectionPattern: values.pattern || undefined, responseParameters: wanted, responseTemplates: templates.values(), contentHandling: row?.contentHandling,
      });
    },
  });
  if (done) await again();
}

async function remove(place, status, again) {
  const done = await confirmDeletion("answer", status, () => gateway("DELETE", `${place}/integration/responses/${status}`));
  if (done) await again();
}
