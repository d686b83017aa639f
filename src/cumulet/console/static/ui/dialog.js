// Questions in a window of their own. Escape closes it; focus goes back to where it was.

import { h, replace } from "./dom.js";
import { button, failure } from "./parts.js";

// `work` gets the form's values; the dialog closes when it succeeds and shows why when it does not.
export function ask(title, content, { action = "Save", danger = false, work }) {
  return new Promise((resolve) => {
    const trouble = h("div", { "aria-live": "assertive" });
    const go = h("button", { type: "submit", class: `button ${danger ? "danger" : "main-one"}` }, action);
    const dialog = h("dialog", { "aria-label": title },
      h("form", { onsubmit },
        h("h2", {}, title), content, trouble,
        h("div", { class: "actions" }, button("Cancel", () => dialog.close()), go)));
    async function onsubmit(event) {
      event.preventDefault();
      go.disabled = true;
      replace(trouble);
      try {
        const result = await work(Object.fromEntries(new FormData(event.target)));
        dialog.returnValue = "done";
        dialog.close();
        resolve(result ?? true);
      } catch (cause) {
        replace(trouble, failure(cause));
      } finally {
        go.disabled = false;
      }
    }
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (dialog.returnValue !== "done") resolve(undefined);
    });
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("input, select, textarea")?.focus();
  });
}

// A deletion is confirmed by typing the name of what goes.
export function confirmDeletion(kind, name, work) {
  const typed = h("input", { name: "typed", autocomplete: "off", required: true, "aria-label": `Type ${name} to delete it` });
  return ask(`Delete ${kind} ${name}?`, h("div", {}, h("p", {}, "This cannot be undone. Type ", h("code", {}, name), " to go on."), typed), {
    action: "Delete",
    danger: true,
    work: async (values) => {
      if (values.typed !== name) throw new Error(`You typed something else than ${name}.`);
      return work();
    },
  });
}
