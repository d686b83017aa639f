// What a REST API is called, what it counts as binary, and its own answers to refused calls.

import { refresh } from "../../../main.js";
import { h } from "../../../ui/dom.js";
import { ask } from "../../../ui/dialog.js";
import { flag, pairs, words } from "../../../ui/form.js";
import { badge, button, cardWith, doing, facts, field, select, table } from "../../../ui/parts.js";
import { when } from "../../../ui/words.js";
import { gateway, listChanges, patch } from "../calls.js";

export async function settings(api) {
  const { item: answers = [] } = await gateway("GET", `/restapis/${api.id}/gatewayresponses`, undefined, { limit: 500 });
  const name = h("input", { value: api.name, required: true });
  const description = h("input", { value: api.description ?? "" });
  const binary = h("input", { value: (api.binaryMediaTypes ?? []).join(" "), placeholder: "image/png */*", spellcheck: "false" });
  const source = select([["HEADER", "x-api-key header"], ["AUTHORIZER", "The authorizer"]], api.apiKeySource ?? "HEADER");
  const compression = h("input", { type: "number", min: "0", value: api.minimumCompressionSize ?? "", placeholder: "never" });
  const endpoint = flag("Only custom domains lead to it", { checked: api.disableExecuteApiEndpoint });
  const save = (event) => doing(event, async () => {
    await patch(`/restapis/${api.id}`, {
      "/name": name.value, "/description": description.value, "/apiKeySource": source.value,
      "/disableExecuteApiEndpoint": endpoint.box.checked,
      "/minimumCompressionSize": compression.value === String(api.minimumCompressionSize ?? "") ? undefined : compression.value,
    }, listChanges("/binaryMediaTypes", api.binaryMediaTypes, words(binary.value), true));
    refresh();
  }, "The settings are saved. Deploy the API for them to take effect.");
  return h("div", {},
    cardWith("Settings", [], facts([["Id", h("code", {}, api.id)], ["Made", when(api.createdDate)], ["Endpoint", (api.endpointConfiguration?.types ?? []).join(", ")]]),
      h("div", { class: "gap" }),
      field("Name", name), field("Description", description),
      field("Binary content types", binary, "Parted by blanks; */* for all."),
      h("div", { class: "row" }, field("API keys come in", source), field("Compress answers from (bytes)", compression)),
      h("div", { class: "gap" }), endpoint, button("Save", save, "main-one")),
    cardWith("Answers to refused calls", [], table([
      { title: "Kind", value: (row) => h("button", { type: "button", class: "button small", "aria-label": `Edit ${row.responseType}`, onclick: () => editAnswer(api, row) }, row.responseType) },
      { title: "Status", value: (row) => row.statusCode ?? "–", narrow: true },
      { title: "Headers", value: (row) => Object.entries(row.responseParameters ?? {}).map(([key, value]) => h("div", {}, h("code", {}, `${key.split(".").pop()}: ${value}`))) },
      { title: "", value: (row) => (row.defaultResponse ? badge("as AWS has it") : badge("own", "info")), narrow: true },
    ], answers)));
}

async function editAnswer(api, row) {
  const headers = pairs("Headers", row.responseParameters, { name: "gatewayresponse.header.Name", value: "'value'" });
  const templates = pairs("Templates", row.responseTemplates, { name: "application/json", value: "template" });
  const place = `/restapis/${api.id}/gatewayresponses/${row.responseType}`;
  const reset = !row.defaultResponse && button("Back to AWS's own", (event) => doing(event, async () => {
    const dialog = event.currentTarget.closest("dialog");
    await gateway("DELETE", place);
    dialog.close();
    refresh();
  }), "small");
  const done = await ask(`Answer ${row.responseType}`, h("div", {},
    field("Status", h("input", { name: "status", pattern: "[1-5][0-9][0-9]", value: row.statusCode ?? "", placeholder: "as the fault has it" })), headers, templates, reset), {
    work: ({ status }) => gateway("PUT", place, { statusCode: status || undefined, responseParameters: headers.values(), responseTemplates: templates.values() }),
  });
  if (done) refresh();
}
