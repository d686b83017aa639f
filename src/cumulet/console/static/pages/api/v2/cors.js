// CORS of an HTTP API: the API itself answers browsers that ask before they call.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html

import { refresh } from "../../../main.js";
import { h } from "../../../ui/dom.js";
import { flag, several, words } from "../../../ui/form.js";
import { badge, button, cardWith, doing, field } from "../../../ui/parts.js";
import { gateway } from "../calls.js";

const VERBS = ["*", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

export function cors(api) {
  const found = api.corsConfiguration;
  const text = (list) => h("input", { value: (list ?? []).join(" "), spellcheck: "false" });
  const [origins, headers, exposed] = [text(found?.allowOrigins), text(found?.allowHeaders), text(found?.exposeHeaders)];
  const verbs = several("Allowed methods", VERBS, found?.allowMethods);
  const credentials = flag("Allow credentials (cookies)", { checked: found?.allowCredentials });
  const age = h("input", { type: "number", min: "-1", max: "86400", value: found?.maxAge ?? "" });
  const save = (event) => doing(event, async () => {
    await gateway("PATCH", `/v2/apis/${api.apiId}`, { corsConfiguration: {
      allowOrigins: words(origins.value), allowHeaders: words(headers.value), exposeHeaders: words(exposed.value),
      allowMethods: verbs.values(), allowCredentials: credentials.box.checked, maxAge: age.value === "" ? undefined : Number(age.value),
    } });
    refresh();
  }, "CORS is saved.");
  const remove = (event) => doing(event, async () => {
    await gateway("DELETE", `/v2/apis/${api.apiId}/cors`);
    refresh();
  }, "CORS is off.");
  return cardWith("CORS", [found ? badge("✓ on", "good") : badge("off")],
    field("Allowed origins", origins, "Such as https://app.example, or *; parted by blanks."), verbs,
    field("Allowed headers", headers), field("Headers that pages may read", exposed), field("Browsers remember it for (seconds)", age), credentials,
    h("div", { class: "row" }, button("Save", save, "main-one"), found && button("Turn off", remove, "danger")));
}
