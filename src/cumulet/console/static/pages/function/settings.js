// A function's configuration: what it may use, and its environment.

import { rest } from "../../aws/call.js";
import { refresh } from "../../main.js";
import { h } from "../../ui/dom.js";
import { button, card, cardWith, doing, facts, field } from "../../ui/parts.js";
import { at } from "./one.js";

export default async function settings(found) {
  const about = found.Configuration;
  const name = about.FunctionName;
  const memory = h("input", { type: "number", min: "128", max: "10240", value: about.MemorySize });
  const limit = h("input", { type: "number", min: "1", max: "900", value: about.Timeout });
  const handler = h("input", { value: about.Handler, spellcheck: "false" });
  const words = h("input", { value: about.Description ?? "", maxlength: "256" });
  const pairs = Object.entries(about.Environment?.Variables ?? {});
  const rows = h("div");
  for (const [key, value] of pairs) rows.append(variable(key, value));
  const reserved = found.Concurrency?.ReservedConcurrentExecutions;
  const most = h("input", { type: "number", min: "0", value: reserved ?? "", placeholder: "no limit of its own" });

  function variable(key = "", value = "") {
    const row = h("div", { class: "row variable" },
      h("input", { "aria-label": "Name", value: key, placeholder: "NAME", spellcheck: "false" }),
      h("input", { "aria-label": `Value of ${key || "the new variable"}`, value, placeholder: "value", spellcheck: "false" }),
      button("Remove", () => row.remove(), "small"));
    return row;
  }
  async function save(event) {
    await doing(event, async () => {
      const Variables = {};
      for (const row of rows.querySelectorAll(".variable")) {
        const [key, value] = row.querySelectorAll("input");
        if (key.value) Variables[key.value] = value.value;
      }
      await rest("lambda", "PUT", at(name, "/configuration"), {
        input: { MemorySize: Number(memory.value), Timeout: Number(limit.value), Handler: handler.value, Description: words.value, Environment: { Variables } },
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
      cardWith("Environment variables", button("Add", () => rows.append(variable()), "small"), rows,
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
