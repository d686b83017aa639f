// The resources of an API as a tree, and a method tried from the browser.

import { everything, rest } from "../../aws/call.js";
import { h, replace } from "../../ui/dom.js";
import { badge, button, card, doing, failure, facts, field } from "../../ui/parts.js";
import { pretty } from "../../ui/words.js";

export async function resources(about) {
  const found = await everything(
    (position) => rest("apigateway", "GET", `/restapis/${about.id}/resources`, { query: { position, limit: 500, embed: "methods" } }), (a) => a.item, (a) => a.position);
  found.sort((a, b) => (a.path < b.path ? -1 : 1));
  const place = h("div", { "aria-live": "polite" });
  const tree = h("ul", { class: "tree" }, found.map((resource) => h("li", { class: `depth${Math.min(8, resource.path.split("/").filter(Boolean).length)}` },
    h("code", {}, resource.path), " ",
    Object.keys(resource.resourceMethods ?? {}).sort().map((method) => [
      h("button", { type: "button", class: "button small", onclick: () => open(resource, method), "aria-label": `${method} ${resource.path}` }, method), " "]))));
  async function open(resource, method) {
    try {
      const found = await rest("apigateway", "GET", `/restapis/${about.id}/resources/${resource.id}/methods/${method}`);
      replace(place, show(resource, method, found));
      place.querySelector("input, textarea, button")?.focus();
    } catch (cause) {
      replace(place, failure(cause));
    }
  }
  function show(resource, method, found) {
    const integration = found.methodIntegration ?? {};
    return card(`${method} ${resource.path}`,
      facts([
        ["Authorizer", found.authorizationType],
        ["Key required", found.apiKeyRequired ? "yes" : "no"],
        ["Integration", h("span", {}, badge(integration.type ?? "none"), " ", h("code", {}, integration.uri ?? ""))],
      ]),
      trial(resource, method));
  }
  function trial(resource, method) {
    const path = h("input", { value: resource.path, spellcheck: "false" });
    const query = h("input", { placeholder: "Number1=10&Number2=20", spellcheck: "false" });
    const headers = h("textarea", { rows: "2", placeholder: "x-api-key: …" });
    const body = h("textarea", { rows: "5" });
    const result = h("div", { "aria-live": "polite" });
    const verb = method === "ANY" ? "GET" : method;
    async function run(event) {
      await doing(event, async () => {
        const text = query.value ? `${path.value}?${query.value}` : path.value;
        const pairs = Object.fromEntries(headers.value.split("\n").filter((line) => line.includes(":")).map((line) => [line.slice(0, line.indexOf(":")).trim(), line.slice(line.indexOf(":") + 1).trim()]));
        const answer = await rest("apigateway", "POST", `/restapis/${about.id}/resources/${resource.id}/methods/${method}`, {
          input: { pathWithQueryString: text, headers: pairs, body: body.value || undefined },
        });
        replace(result,
          h("p", {}, badge(`${answer.status < 400 ? "✓" : "✗"} ${answer.status}`, answer.status < 400 ? "good" : "bad"), ` in ${answer.latency} ms`),
          h("pre", { class: "box", tabindex: "0", "aria-label": "Answer" }, pretty(answer.body ?? "")),
          h("h3", {}, "Headers"), h("pre", { class: "box", tabindex: "0" }, pretty(answer.headers ?? {})),
          h("h3", {}, "Log"), h("pre", { class: "box", tabindex: "0" }, answer.log ?? ""));
      });
    }
    return h("div", {}, h("h3", {}, "Try it"),
      h("div", { class: "row" }, field("Path", path), field("Query", query)),
      field("Headers, one a line", headers), ["GET", "HEAD", "DELETE", "OPTIONS"].includes(verb) ? undefined : field("Body", body),
      h("p", {}, button("Test", run, "main-one")), result);
  }
  return h("div", { class: "wide" }, card("Resources", tree), place);
}
