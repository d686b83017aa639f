// Signing in: by the code of a printed link, or with a user's access key.

import { signInByCode, signInByKey } from "../aws/session.js";
import { h, replace } from "../ui/dom.js";
import { failure, field } from "../ui/parts.js";

// Takes the code out of the address at once, so that it is in no history. False when it was refused.
export async function followLink(app) {
  const code = location.hash.slice("#code=".length);
  history.replaceState(null, "", `${location.pathname}#/home`);
  try {
    await signInByCode(code);
    return true;
  } catch (cause) {
    askToSignIn(app, cause);
    return true;
  }
}

export function askToSignIn(app, trouble) {
  const id = h("input", { name: "id", required: true, autocomplete: "username", spellcheck: "false", placeholder: "AKIA…" });
  const secret = h("input", { name: "secret", type: "password", required: true, autocomplete: "current-password" });
  const place = h("div", { "aria-live": "assertive" }, trouble && failure(trouble));
  const go = h("button", { type: "submit", class: "button main-one" }, "Sign in");
  async function onsubmit(event) {
    event.preventDefault();
    go.disabled = true;
    replace(place);
    try {
      await signInByKey(id.value.trim(), secret.value.trim());
    } catch (cause) {
      replace(place, failure(cause));
      go.disabled = false;
    }
  }
  document.title = "Sign in · Cumulet";
  replace(app, h("main", { class: "welcome" },
    h("div", { class: "brand" }, h("img", { src: "cloud.svg", alt: "" }), "Cumulet"),
    h("div", { class: "card" },
      h("h1", {}, "Sign in"),
      h("p", { class: "soft" }, "Type ", h("code", {}, "cumulet console"), " in a terminal of this machine: it prints a link that signs you in. Or use an access key:"),
      place,
      h("form", { onsubmit }, field("Access key id", id), field("Secret access key", secret), go))));
}
