// A function's configuration: what it may use, and its environment.

import { rest } from "../../aws/call.js";
import { refresh } from "../../main.js";
import { h } from "../../ui/dom.js";
import { pairs } from "../../ui/form.js";
import { button, card, doing, facts, field } from "../../ui/parts.js";
import { at } from "./one.js";

export default async function settings(found) {
  const about = found.Configuration;
  const name = about.FunctionName;
  const memory = h("input", { type: "number", min: "128", max: "10240", value: about.MemorySize });
  const limit = h("input", { type: "number", min: "1", max: "900", value: about.Timeout });
  const handler = h("input", { value: about.Handler, spellcheck: "false" });
  const words = h("input", { value: about.Description ?? "", maxlength: "256" });
  const variables = pairs("Variables", about.Environment?.Variables, { name: "NAME", value: "value" });
  const reserved = found.Concurrency?.ReservedConcurrentExecutions;
  const most = h("input", { type: "number", min: "0", value: reserved ?? "", placeholder: "no limit of its own" });

  async function save(event) {
    await doing(event, async () => {
      await rest("lambda", "PUT", at(name, "/configuration"), {
        input: { MemorySize: Number(memory.value), Timeout: Number(limit.value), Handler: handler.value, Description: words.value, Environment: { Variables: variables.values() } },
      });
      const concurrency = `/2017-10-31/functions/${name}/concurrency`;
      if (most.value !== "") await rest("lambda", "PUT", concurrency, { input: { ReservedConcurrentExecutions: Number(most.value) } });
      else if (reserved !== undefined) await rest("lambda", "DELETE", concurrency);
      refresh();
    }, "The configuration is saved.");
  }
  return h("div", {},
    h("div", { class: "wide" },
      card("General", field("Description", words), field("Handler", handler),
        h("div", { class: "row" }, field("Memory (MB)", memory), field("Time limit (seconds)", limit), field("Reserved concurrency", most))),
      card("Environment variables", variables,
        h("p", { class: "hint soft" }, "Encrypted at rest."))),
    h("p", {}, button("Save", save, "main-one")),
    card("Permissions and links", facts([
      ["Execution role", h("a", { href: `#/policies/${about.Role.split("/").pop()}` }, about.Role)],
      ["Layers", (about.Layers ?? []).map((layer) => h("div", {}, h("code", {}, layer.Arn)))],
      ["Tracing", about.TracingConfig?.Mode],
      ["Dead letters", about.DeadLetterConfig?.TargetArn],
      ["Processor", (about.Architectures ?? []).join(", ")],
    ])));
}
