// The resources of a REST API as a tree; what is chosen in it is shown beside it.

import { h, replace } from "../../../ui/dom.js";
import { ask, confirmDeletion } from "../../../ui/dialog.js";
import { flag } from "../../../ui/form.js";
import { badge, button, card, cardWith, facts, failure, field } from "../../../ui/parts.js";
import { all, gateway } from "../calls.js";
import { createMethod, method } from "./method.js";
import { cors, enableCors } from "./cors.js";

// `openId` and `openVerb`: what the address names, if anything.
export async function resources(api, openId, openVerb) {
  const place = h("div", { "aria-live": "polite" });
  const tree = h("div");
  let found = [];

  async function load(id, verb) {
    found = await all(`/restapis/${api.id}/resources`, { embed: "methods" });
    found.sort((a, b) => (a.path < b.path ? -1 : 1));
    const root = found.find((one) => one.path === "/");
    await open(found.find((one) => one.id === id) ?? root, verb);
  }
  function draw(chosen, verb) {
    const pressed = (resource, name) => String(resource.id === chosen.id && name === verb);
    replace(tree, h("ul", { class: "tree" }, found.map((resource) => h("li", { class: `depth${Math.min(8, depthOf(resource))}` },
      h("button", { type: "button", class: "button small path", "aria-pressed": pressed(resource, undefined), "aria-label": `Resource ${resource.path}`, onclick: () => open(resource) }, resource.path), " ",
      verbsOf(resource).map((name) => [
        h("button", { type: "button", class: "button small", "aria-pressed": pressed(resource, name), "aria-label": `${name} ${resource.path}`, onclick: () => open(resource, name) }, name), " "])))));
  }
  async function open(resource, verb) {
    const shown = verb && resource.resourceMethods?.[verb] ? verb : undefined;
    history.replaceState(null, "", `#/apis/${api.id}/resources/${resource.id}${shown ? `/${shown}` : ""}`);
    draw(resource, shown);
    try {
      replace(place, shown ? await method(api, resource, shown, load) : one(resource));
    } catch (cause) {
      replace(place, failure(cause));
    }
  }
  function one(resource) {
    const verbs = verbsOf(resource);
    return cardWith(resource.path, [
      button("Create resource", () => createResource(api, resource, load), "small"),
      button("Create method", () => createMethod(api, resource, load), "small"),
      button("Enable CORS", () => cors(api, resource, load), "small"),
      resource.path !== "/" && button("Delete resource", () => remove(resource), "small danger"),
    ], facts([
      ["Id", h("code", {}, resource.id)],
      ["Methods", verbs.length ? verbs.map((name) => [badge(name), " "]) : "none yet"],
      ["CORS", verbs.includes("OPTIONS") ? "✓ OPTIONS answers" : "off"],
    ]));
  }
  async function remove(resource) {
    if (await confirmDeletion("resource", resource.path, () => gateway("DELETE", `/restapis/${api.id}/resources/${resource.id}`))) await load(resource.parentId);
  }
  await load(openId, openVerb);
  return h("div", { class: "beside" }, card("Resources", tree), place);
}

function depthOf(resource) {
  return resource.path.split("/").filter(Boolean).length;
}

function verbsOf(resource) {
  return Object.keys(resource.resourceMethods ?? {}).sort();
}

async function createResource(api, parent, load) {
  const withCors = flag("Enable CORS", {}, "An OPTIONS method that lets pages of other origins call it.");
  const made = await ask("Create resource", h("div", {},
    h("p", { class: "soft" }, "Below ", h("code", {}, parent.path)),
    field("Name", h("input", { name: "part", required: true, spellcheck: "false", autocomplete: "off" }), "A part of a path, {id} for a variable one, {proxy+} for all below."),
    withCors), {
    action: "Create resource",
    work: async ({ part }) => {
      const resource = await gateway("POST", `/restapis/${api.id}/resources/${parent.id}`, { pathPart: part });
      if (withCors.box.checked) await enableCors(api, resource, {});
      return resource;
    },
  });
  if (made) await load(made.id);
}
