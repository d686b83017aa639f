// A method tried from the browser, without a deployment.

import { h, replace } from "../../../ui/dom.js";
import { more, pairs } from "../../../ui/form.js";
import { badge, button, doing, field } from "../../../ui/parts.js";
import { pretty } from "../../../ui/words.js";
import { gateway } from "../calls.js";

const BODILESS = ["GET", "HEAD", "DELETE", "OPTIONS"];

export function trial(api, resource, verb) {
  const path = h("input", { value: resource.path, spellcheck: "false" });
  const query = h("input", { placeholder: "Number1=10&Number2=20", spellcheck: "false" });
  const headers = h("textarea", { rows: "2", placeholder: "x-api-key: …", spellcheck: "false" });
  const body = h("textarea", { rows: "5", spellcheck: "false" });
  const variables = pairs("Stage variables");
  const result = h("div", { "aria-live": "polite" });
  async function run(event) {
    await doing(event, async () => {
      const answer = await gateway("POST", `/restapis/${api.id}/resources/${resource.id}/methods/${verb}`, {
        pathWithQueryString: query.value ? `${path.value}?${query.value}` : path.value,
        headers: headersOf(headers.value), body: body.value || undefined, stageVariables: variables.values(),
      });
      replace(result,
        h("p", {}, badge(`${answer.status < 400 ? "✓" : "✗"} ${answer.status}`, answer.status < 400 ? "good" : "bad"), ` in ${answer.latency} ms`),
        h("pre", { class: "box", tabindex: "0", "aria-label": "Answer" }, pretty(answer.body ?? "")),
        h("h3", {}, "Headers"), h("pre", { class: "box", tabindex: "0", "aria-label": "Headers of the answer" }, pretty(answer.headers ?? {})),
        h("h3", {}, "Log"), h("pre", { class: "box", tabindex: "0", "aria-label": "Log of this try" }, answer.log ?? ""));
    });
  }
  return h("div", {},
    h("div", { class: "row" }, field("Path", path), field("Query", query)),
    h("div", { class: "gap" }),
    field("Headers, one a line", headers), !BODILESS.includes(verb) && field("Body", body),
    more("Stage variables", variables),
    h("p", {}, button("Test", run, "main-one")), result);
}

export function headersOf(text) {
  return Object.fromEntries(text.split("\n").filter((line) => line.includes(":"))
    .map((line) => [line.slice(0, line.indexOf(":")).trim(), line.slice(line.indexOf(":") + 1).trim()]));
}
