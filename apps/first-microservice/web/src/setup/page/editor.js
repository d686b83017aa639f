// The editor of one note: new, changed, deleted, and what to do when somebody else was faster.

import { changeNote, dropNote, makeNote, readNote } from "./api.js";
import { sure } from "./ask.js";

const at = (id) => document.getElementById(id);
const dialog = at("editor");
const error = dialog.querySelector(".error");

let notebook;
let note;
let current;
let done;

/** Edit `old`, or a new note of the notebook; calls `ondone(sentence)` when something was written. */
export async function edit(inNotebook, old, ondone) {
  const found = old && (await readNote(old.notebook, old.id));
  [notebook, done] = [inNotebook, ondone];
  at("editor-title").textContent = old ? "Edit note" : `New note in ${notebook}`;
  at("drop-note").hidden = !old;
  fill(found);
  dialog.showModal();
  at("note-title").focus();
}

function fill(found) {
  note = found;
  at("note-title").value = found?.title ?? "";
  at("note-text").value = found?.text ?? "";
  at("note-tag").value = found?.tag ?? "";
  at("note-expiry").value = found?.expires ? "at" : "";
  at("note-at").value = found?.expires ? localOf(new Date(found.expires)) : "";
  at("conflict").hidden = true;
  error.textContent = "";
  showOwnTime();
}

/** As a field of date and time has it: this place's own time, to the second. */
function localOf(moment) {
  const shifted = new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 19);
}

function showOwnTime() {
  const own = at("note-expiry").value === "at";
  at("at-field").hidden = !own;
  at("note-at").disabled = !own;
}

function expiry() {
  const chosen = at("note-expiry").value;
  if (!chosen) return null;
  if (chosen !== "at") return new Date(Date.now() + Number(chosen) * 1000).toISOString();
  return new Date(at("note-at").value).toISOString();
}

async function save() {
  const body = {
    title: at("note-title").value,
    text: at("note-text").value,
    tag: at("note-tag").value || null,
    expires: expiry(),
  };
  await written(note ? changeNote(note, body) : makeNote(notebook, body), `${body.title} is saved.`);
}

async function written(asked, sentence) {
  const buttons = dialog.querySelectorAll("button");
  buttons.forEach((button) => { button.disabled = true; });
  error.textContent = "";
  try {
    await asked;
    dialog.close();
    done(sentence);
  } catch (cause) {
    if (cause.status === 412) showConflict(cause.body.current);
    else error.textContent = cause.message;
  } finally {
    buttons.forEach((button) => { button.disabled = false; });
  }
}

function showConflict(theirs) {
  current = theirs;
  at("their-title").textContent = theirs.title;
  at("their-text").textContent = theirs.text;
  at("conflict").hidden = false;
  at("conflict").scrollIntoView({ block: "nearest" });
}

at("note-expiry").addEventListener("change", showOwnTime);
at("take-theirs").addEventListener("click", () => fill(current));
at("keep-mine").addEventListener("click", () => {
  // What they wrote was seen: the version that is replaced is theirs.
  note = { ...note, version: current.version };
  at("conflict").hidden = true;
  dialog.querySelector("form").requestSubmit();
});
at("drop-note").addEventListener("click", async () => {
  if (await sure(`Delete ${note.title}?`)) await written(dropNote(note), `${note.title} is deleted.`);
});
dialog.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  save();
});
dialog.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) dialog.querySelector("form").requestSubmit();
});
