// One function: its parts behind tabs.

import { rest } from "../../aws/call.js";
import { h } from "../../ui/dom.js";
import { confirmDeletion } from "../../ui/dialog.js";
import { badge, button, facts, notice, tabs } from "../../ui/parts.js";
import { size, when } from "../../ui/words.js";
import code from "./code.js";
import settings from "./settings.js";
import test from "./test.js";
import { triggers, versions } from "./around.js";
import { tail } from "../watch/logs.js";

export const at = (name, rest = "") => `/2015-03-31/functions/${name}${rest}`;

export default async function one(name, part) {
  const found = await rest("lambda", "GET", at(name));
  const about = found.Configuration;
  const leavers = [];
  const pages = tabs({
    Code: () => code(found),
    Test: () => test(about),
    Configuration: () => settings(found),
    Logs: async () => {
      const shown = await tail(about.LoggingConfig?.LogGroup ?? `/aws/lambda/${name}`);
      leavers.push(shown.leave);
      return shown.element;
    },
    Triggers: () => triggers(about),
    Versions: () => versions(about),
  }, part, `#/functions/${name}`);
  const element = h("div", {},
    h("div", { class: "head" },
      h("div", { class: "crumbs" }, h("a", { href: "#/functions" }, "Functions")),
      h("h1", {}, name), badge(about.State === "Active" ? "✓ active" : about.State, about.State === "Active" ? "good" : "warn"),
      h("div", { class: "actions" }, button("Delete", () => remove(name), "danger"))),
    about.StateReason && notice(about.StateReason, "warn"),
    h("section", { class: "card" }, facts([
      ["ARN", h("code", {}, about.FunctionArn)],
      ["Runtime and handler", `${about.Runtime}, ${about.Handler}`],
      ["Memory, time limit", `${about.MemorySize} MB, ${about.Timeout} s`],
      ["Package", `${size(about.CodeSize)}, changed ${when(about.LastModified)}`],
    ])),
    pages);
  return { element, leave: () => leavers.forEach((leave) => leave()) };
}

async function remove(name) {
  const done = await confirmDeletion("function", name, () => rest("lambda", "DELETE", at(name)));
  if (done) location.hash = "#/functions";
}
