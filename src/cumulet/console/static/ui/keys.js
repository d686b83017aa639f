// The keys that the console knows, shown by `?`.

import { h } from "./dom.js";
import { button, facts } from "./parts.js";

export function showKeys(pages) {
  const key = (text) => text.split(" ").map((one) => [h("kbd", {}, one), " "]);
  const dialog = h("dialog", { "aria-label": "Keys" },
    h("h2", {}, "Keys"),
    facts([
      ...pages.map(([, title, letter]) => [key(`g ${letter}`), title]),
      [key("/"), "Search this page"],
      [key("Escape Tab"), "Leave the code editor"],
      [key("?"), "These keys"],
    ]),
    h("div", { class: "actions" }, button("Close", () => dialog.close(), "main-one")));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
