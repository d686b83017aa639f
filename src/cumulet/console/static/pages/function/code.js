// The code of a function, edited in the browser and deployed with a click.

import { rest } from "../../aws/call.js";
import { base64, unzip, zip } from "../../aws/zip.js";
import { h, replace } from "../../ui/dom.js";
import { ask } from "../../ui/dialog.js";
import { editor } from "../../ui/editor.js";
import { badge, button, doing, field, notice } from "../../ui/parts.js";
import { size } from "../../ui/words.js";
import { at } from "./one.js";

const EDITED_BYTES_MAX = 512 * 1024;
const PACKAGE_BYTES_MAX = 3 * 1024 * 1024;
const FILES_SHOWN_MAX = 300;

function isText(bytes) {
  return bytes.length <= EDITED_BYTES_MAX && !bytes.subarray(0, 4096).includes(0);
}

export default async function code(found) {
  const about = found.Configuration;
  if (about.CodeSize > PACKAGE_BYTES_MAX) {
    return notice(`The package has ${size(about.CodeSize)}: too much for the editor. Deploy it with your tools.`);
  }
  const link = new URL(found.Code.Location);
  const answer = await fetch(link.pathname + link.search);
  if (!answer.ok) throw new Error(`The package could not be read: ${answer.status}.`);
  let files = await unzip(await answer.arrayBuffer());
  const handler = about.Handler.split(".")[0];
  let open = files.find((file) => file.name.replace(/\.[a-z]+$/, "") === handler) ?? files.find((file) => isText(file.bytes));
  let changed = false;
  const state = badge("Deployed", "good");
  const place = h("div");
  const list = h("select", { "aria-label": "File", onchange: (event) => show(files.find((file) => file.name === event.target.value)) });
  const deploy = button("Deploy", save, "main-one");

  function note(is) {
    changed = is;
    state.textContent = is ? "Changes not deployed" : "Deployed";
    state.className = `badge ${is ? "warn" : "good"}`;
    deploy.disabled = !is;
  }
  function draw() {
    replace(list, files.slice(0, FILES_SHOWN_MAX).map((file) => h("option", { value: file.name, selected: file === open }, file.name)));
    show(open);
  }
  function show(file) {
    open = file;
    if (!file) return replace(place, notice("The package has no file that can be shown."));
    if (!isText(file.bytes)) return replace(place, notice(`${file.name} is no text, or too large for the editor.`));
    const shown = editor(new TextDecoder().decode(file.bytes), {
      label: `Code of ${file.name}`,
      onchange: (text) => {
        file.bytes = new TextEncoder().encode(text);
        note(true);
      },
    });
    shown.area.addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key === "s") {
        event.preventDefault();
        if (changed) deploy.click();
      }
    });
    return replace(place, shown);
  }
  async function save(event) {
    const packed = await zip(files);
    const done = await doing(event, () => rest("lambda", "PUT", at(about.FunctionName, "/code"), { input: { ZipFile: base64(packed) } }), `${about.FunctionName} is deployed.`);
    note(!done);
  }
  async function add() {
    const made = await ask("New file", field("Name", h("input", { name: "name", required: true, pattern: "[^\\/ ][^ ]*", autocomplete: "off" }), "Folders with slashes: package/module.py"), {
      action: "Add",
      work: async ({ name }) => {
        if (files.some((file) => file.name === name)) throw new Error(`There is a file ${name} already.`);
        const file = { name, mode: 0o644, bytes: new Uint8Array() };
        files.push(file);
        return file;
      },
    });
    if (!made) return;
    open = made;
    note(true);
    draw();
  }
  function drop() {
    if (!open) return;
    files = files.filter((file) => file !== open);
    open = files.find((file) => isText(file.bytes));
    note(true);
    draw();
  }
  draw();
  note(false);
  return h("section", { class: "card" },
    h("header", {}, list, button("New file", add, "small"), button("Remove file", drop, "small"), state, h("div", { class: "actions" }, deploy)),
    place,
    h("p", { class: "hint soft" }, "Tab indents; Escape and then Tab leaves the editor; Ctrl+S deploys."));
}
