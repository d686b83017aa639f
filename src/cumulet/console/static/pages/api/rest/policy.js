// The resource policy of a REST API: who may call it at all, whatever its methods say.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies.html

import { session } from "../../../aws/session.js";
import { refresh } from "../../../main.js";
import { h } from "../../../ui/dom.js";
import { editor } from "../../../ui/editor.js";
import { parsed } from "../../../ui/form.js";
import { badge, button, cardWith, doing } from "../../../ui/parts.js";
import { pretty } from "../../../ui/words.js";
import { gateway } from "../calls.js";

const anyone = (more = {}) => ({ Effect: "Allow", Principal: "*", Action: "execute-api:Invoke", Resource: "execute-api:/*", ...more });
const denied = (Condition) => ({ Effect: "Deny", Principal: "*", Action: "execute-api:Invoke", Resource: "execute-api:/*", Condition });

const EXAMPLES = {
  "Only these addresses": () => [anyone(), denied({ NotIpAddress: { "aws:SourceIp": ["127.0.0.1/32", "192.0.2.0/24"] } })],
  "All but these addresses": () => [anyone(), denied({ IpAddress: { "aws:SourceIp": ["192.0.2.0/24"] } })],
  "Only this account": () => [anyone({ Principal: { AWS: `arn:aws:iam::${session().account}:root` } })],
};

// AWS keeps the text with its quotes escaped.
export function policyText(kept) {
  if (!kept) return "";
  try {
    return pretty(JSON.parse(kept));
  } catch {
    return pretty(JSON.parse(`"${kept}"`));
  }
}

export function policy(api) {
  const text = editor(policyText(api.policy), { label: "Resource policy", rows: 18 });
  const place = `/restapis/${api.id}`;
  const keep = (event) => doing(event, async () => {
    const document = parsed(text.area.value, "The policy");
    await gateway("PATCH", place, { patchOperations: [{ op: "replace", path: "/policy", value: JSON.stringify(document) }] });
    refresh();
  }, "The policy is saved. Deploy the API for it to take effect.");
  const remove = (event) => doing(event, async () => {
    await gateway("PATCH", place, { patchOperations: [{ op: "replace", path: "/policy", value: "" }] });
    refresh();
  }, "The policy is removed. Deploy the API for it to take effect.");
  const put = (statements) => {
    text.area.value = pretty({ Version: "2012-10-17", Statement: statements });
    text.area.dispatchEvent(new Event("input"));
    text.area.focus();
  };
  return cardWith("Resource policy", [api.policy ? badge("✓ set", "good") : badge("none: its methods decide")],
    h("div", { class: "filters" }, h("span", { class: "soft" }, "Begin with:"),
      Object.entries(EXAMPLES).map(([name, statements]) => button(name, () => put(statements()), "small"))),
    text,
    h("div", { class: "gap" }),
    h("div", { class: "row" }, button("Save", keep, "main-one"), api.policy && button("Remove", remove, "danger")));
}
