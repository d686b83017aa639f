// What calls a function, and its versions and aliases.

import { everything, rest } from "../../aws/call.js";
import { refresh } from "../../main.js";
import { h } from "../../ui/dom.js";
import { badge, button, card, cardWith, doing, table } from "../../ui/parts.js";
import { pretty, when } from "../../ui/words.js";
import { at } from "./one.js";

async function orNothing(work) {
  try {
    return await work();
  } catch (cause) {
    if (cause.code === "ResourceNotFoundException") return undefined;
    throw cause;
  }
}

export async function triggers(about) {
  const name = about.FunctionName;
  const [mappings, policy, url] = await Promise.all([
    rest("lambda", "GET", "/2015-03-31/event-source-mappings", { query: { FunctionName: name } }).then((found) => found.EventSourceMappings ?? []),
    orNothing(() => rest("lambda", "GET", at(name, "/policy"))),
    orNothing(() => rest("lambda", "GET", `/2021-10-31/functions/${name}/url`)),
  ]);
  const statements = policy ? JSON.parse(policy.Policy).Statement : [];
  return h("div", {},
    card("Read from queues and streams", table([
      { title: "Source", value: (row) => h("code", {}, row.EventSourceArn) },
      { title: "State", value: (row) => badge(row.State, row.State === "Enabled" ? "good" : "warn"), narrow: true },
      { title: "Batch", value: (row) => row.BatchSize, number: true },
      { title: "Last result", value: (row) => row.LastProcessingResult ?? "–" },
    ], mappings, "It reads from no queue and no stream.")),
    card("Called by", table([
      { title: "Who", value: (row) => h("code", {}, row.Principal?.Service ?? row.Principal?.AWS ?? "anyone") },
      { title: "What", value: (row) => row.Action },
      { title: "Only when", value: (row) => (row.Condition ? h("pre", { class: "box" }, pretty(row.Condition)) : "always") },
    ], statements, "No policy lets anybody else call it.")),
    url && card("Function URL", h("a", { href: url.FunctionUrl, target: "_blank", rel: "noopener" }, url.FunctionUrl), " ", badge(url.AuthType)));
}

export async function versions(about) {
  const name = about.FunctionName;
  const [found, aliases] = await Promise.all([
    everything((Marker) => rest("lambda", "GET", at(name, "/versions"), { query: { Marker } }), (a) => a.Versions, (a) => a.NextMarker),
    everything((Marker) => rest("lambda", "GET", at(name, "/aliases"), { query: { Marker } }), (a) => a.Aliases, (a) => a.NextMarker),
  ]);
  const publish = (event) => doing(event, async () => {
    await rest("lambda", "POST", at(name, "/versions"), { input: {} });
    refresh();
  }, "A version is published.");
  return h("div", {},
    cardWith("Versions", button("Publish", publish, "small"), table([
      { title: "Version", value: (row) => row.Version, narrow: true },
      { title: "Description", value: (row) => row.Description || "–" },
      { title: "Changed", value: (row) => when(row.LastModified), narrow: true },
    ], found.reverse())),
    card("Aliases", table([
      { title: "Alias", value: (row) => row.Name, narrow: true },
      { title: "Version", value: (row) => row.FunctionVersion, narrow: true },
      { title: "Weights", value: (row) => (row.RoutingConfig ? JSON.stringify(row.RoutingConfig.AdditionalVersionWeights) : "–") },
      { title: "Description", value: (row) => row.Description || "–" },
    ], aliases, "No aliases.")));
}
