// What requests are checked against: validators, and models of bodies.

import { refresh } from "../../../main.js";
import { h } from "../../../ui/dom.js";
import { ask, confirmDeletion } from "../../../ui/dialog.js";
import { editor } from "../../../ui/editor.js";
import { flag, parsed } from "../../../ui/form.js";
import { button, cardWith, field, table } from "../../../ui/parts.js";
import { pretty } from "../../../ui/words.js";
import { all, gateway, patch } from "../calls.js";

const FIRST = { $schema: "http://json-schema.org/draft-04/schema#", type: "object", required: ["Number1"], properties: { Number1: { type: "number" } } };

export async function validation(api) {
  const [validators, models] = await Promise.all([all(`/restapis/${api.id}/requestvalidators`), all(`/restapis/${api.id}/models`)]);
  return h("div", {},
    cardWith("Validators", button("Create validator", () => edit(api), "small"), table([
      { title: "Name", value: (row) => h("button", { type: "button", class: "button small", "aria-label": `Edit validator ${row.name}`, onclick: () => edit(api, row) }, row.name) },
      { title: "Body", value: (row) => (row.validateRequestBody ? "✓ checked" : "–"), narrow: true },
      { title: "Parameters", value: (row) => (row.validateRequestParameters ? "✓ checked" : "–"), narrow: true },
      { title: "Id", value: (row) => h("code", {}, row.id), narrow: true },
      { title: "", value: (row) => button("Delete", () => remove(api, "requestvalidators", "validator", row.id, row.name), "small danger", { "aria-label": `Delete validator ${row.name}` }), narrow: true },
    ], validators, "No validators yet. A method takes one in its settings.")),
    cardWith("Models", button("Create model", () => editModel(api), "small"), table([
      { title: "Name", value: (row) => h("button", { type: "button", class: "button small", "aria-label": `Edit model ${row.name}`, onclick: () => editModel(api, row) }, row.name) },
      { title: "Content type", value: (row) => row.contentType, narrow: true },
      { title: "Description", value: (row) => row.description ?? "–" },
      { title: "", value: (row) => button("Delete", () => remove(api, "models", "model", row.name, row.name), "small danger", { "aria-label": `Delete model ${row.name}` }), narrow: true },
    ], models, "No models.")));
}

async function edit(api, row = {}) {
  const body = flag("Check bodies against the method's models", { checked: row.validateRequestBody ?? true });
  const parameters = flag("Check that required parameters are there", { checked: row.validateRequestParameters ?? true });
  const done = await ask(row.id ? `Validator ${row.name}` : "Create validator", h("div", {},
    field("Name", h("input", { name: "name", required: true, value: row.name ?? "", pattern: "[A-Za-z0-9_\\- ]{1,128}" })), body, parameters), {
    work: async ({ name }) => {
      const place = `/restapis/${api.id}/requestvalidators`;
      if (row.id) await patch(`${place}/${row.id}`, { "/name": name, "/validateRequestBody": body.box.checked, "/validateRequestParameters": parameters.box.checked });
      else await gateway("POST", place, { name, validateRequestBody: body.box.checked, validateRequestParameters: parameters.box.checked });
    },
  });
  if (done) refresh();
}

async function editModel(api, row) {
  const schema = editor(pretty(row?.schema ?? FIRST), { label: "Schema (JSON Schema, draft 4)", rows: 14 });
  const done = await ask(row ? `Model ${row.name}` : "Create model", h("div", {},
    !row && field("Name", h("input", { name: "name", required: true, pattern: "[A-Za-z0-9]{1,128}", title: "Letters and digits." })), schema), {
    work: async (values) => {
      parsed(schema.area.value, "The schema");
      if (row) await patch(`/restapis/${api.id}/models/${row.name}`, { "/schema": schema.area.value });
      else await gateway("POST", `/restapis/${api.id}/models`, { name: values.name, contentType: "application/json", schema: schema.area.value });
    },
  });
  if (done) refresh();
}

async function remove(api, part, kind, id, name) {
  if (await confirmDeletion(kind, name, () => gateway("DELETE", `/restapis/${api.id}/${part}/${id}`))) refresh();
}
