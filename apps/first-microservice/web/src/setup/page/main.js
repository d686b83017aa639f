// The page: which list is shown (its address says it), notebooks, and searching.

import { begin, dropNotebook, findNotes, listNotebooks, listNotes, makeNotebook } from "./api.js";
import { sure } from "./ask.js";
import { edit } from "./editor.js";
import { card, goOn, make } from "./show.js";

const TIMES_MS = 10_000;
const at = (id) => document.getElementById(id);

let notebooks = [];
let nextNotebooks = null;
let next = null;
/** Which showing is the latest: the answers of older ones come too late. */
let turn = 0;

/** What the address asks for: { kind: "notebook" | "tag" | "title" | "", value }. */
function asked() {
  const [kind, ...rest] = location.hash.slice(1).split("/");
  const known = ["notebook", "tag", "title"].includes(kind);
  return known ? { kind, value: decodeURIComponent(rest.join("/")) } : { kind: "", value: "" };
}

function say(text) {
  at("told").textContent = text;
}

/** Do it; when it fails, say why, and offer to do it again. */
async function tried(work) {
  at("trouble").hidden = true;
  try {
    await work();
  } catch (cause) {
    at("trouble").querySelector("p").textContent = cause.message;
    at("trouble").querySelector("button").onclick = () => tried(work);
    at("trouble").hidden = false;
  }
}

async function loadNotebooks(after) {
  const found = await listNotebooks(after);
  notebooks = after ? [...notebooks, ...found.notebooks] : found.notebooks;
  nextNotebooks = found.next;
}

function drawNotebooks() {
  const { kind, value } = asked();
  const links = notebooks.map(({ name }) => {
    const link = make("a", { href: `#notebook/${encodeURIComponent(name)}`, textContent: name });
    if (kind === "notebook" && name === value) link.setAttribute("aria-current", "page");
    return make("li", {}, link);
  });
  at("notebooks").replaceChildren(...links);
  at("more-notebooks").hidden = !nextNotebooks;
}

const titles = {
  notebook: (value) => value,
  tag: (value) => `Notes with #${value}`,
  title: (value) => `Titles that begin with “${value}”`,
  "": () => "No notebook yet",
};

/** Show the list that the address asks for, from its beginning. */
async function show() {
  const { kind, value } = asked();
  if (!kind && notebooks.length) {
    history.replaceState(null, "", `#notebook/${encodeURIComponent(notebooks[0].name)}`);
    return show();
  }
  at("title").textContent = titles[kind](value);
  document.title = kind ? `${titles[kind](value)} – Notebooks` : "Notebooks";
  at("words").value = { tag: `#${value}`, title: value }[kind] ?? "";
  for (const id of ["new-note", "drop-notebook", "order-field"]) at(id).hidden = kind !== "notebook";
  drawNotebooks();
  turn += 1;
  if (!kind) {
    at("notes").replaceChildren();
    showEmpty("Make a notebook, and write the first note.");
    return undefined;
  }
  return list(null, turn);
}

async function list(after, mine) {
  const { kind, value } = asked();
  const found = kind === "notebook"
    ? await listNotes(value, at("order").value, after)
    : await findNotes({ [kind]: value }, after);
  if (mine !== turn) return;
  const rows = found.notes.map((note) => card(note, kind !== "notebook", open));
  if (after) at("notes").append(...rows);
  else at("notes").replaceChildren(...rows);
  next = found.next;
  at("more").hidden = !next;
  const none = at("notes").childElementCount === 0 && !next;
  showEmpty(none ? (kind === "notebook" ? "Nothing written here yet." : "Nothing was found.") : "");
}

function showEmpty(text) {
  at("empty").textContent = text;
  at("empty").hidden = !text;
  if (text) at("more").hidden = true;
}

function open(note) {
  return tried(() => edit(note.notebook, note, written));
}

function written(sentence) {
  say(sentence);
  tried(show);
}

function newNote() {
  tried(() => edit(asked().value, null, written));
}

function find(event) {
  event.preventDefault();
  const words = at("words").value.trim();
  if (!words) return;
  const kind = words.startsWith("#") ? "tag" : "title";
  location.hash = `${kind}/${encodeURIComponent(words.replace(/^#/, ""))}`;
}

async function nameNotebook(event) {
  event.preventDefault();
  const error = at("naming").querySelector(".error");
  error.textContent = "";
  try {
    const made = await makeNotebook(at("name").value);
    at("naming").close();
    await tried(async () => {
      await loadNotebooks();
      location.hash = `notebook/${encodeURIComponent(made.name)}`;
      drawNotebooks();
      say(`${made.name} is made.`);
    });
  } catch (cause) {
    error.textContent = cause.message;
  }
}

async function removeNotebook() {
  const { value } = asked();
  if (!(await sure(`Delete the notebook ${value}?`))) return;
  await tried(async () => {
    await dropNotebook(value);
    say(`${value} is deleted.`);
    await loadNotebooks();
    location.hash = "";
  });
}

function listen() {
  addEventListener("hashchange", () => tried(show));
  addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, dialog");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const wanted = { "/": () => at("words").focus(), n: () => at("new-note").hidden || newNote() }[event.key];
    if (!wanted) return;
    event.preventDefault();
    wanted();
  });
  at("find").addEventListener("submit", find);
  at("new-note").addEventListener("click", newNote);
  at("drop-notebook").addEventListener("click", removeNotebook);
  at("order").addEventListener("change", () => tried(show));
  at("more").addEventListener("click", () => tried(() => list(next, turn)));
  at("more-notebooks").addEventListener("click", () => tried(async () => {
    await loadNotebooks(nextNotebooks);
    drawNotebooks();
  }));
  at("new-notebook").addEventListener("click", () => {
    at("name").value = "";
    at("naming").querySelector(".error").textContent = "";
    at("naming").showModal();
  });
  at("naming").querySelector("form").addEventListener("submit", nameNotebook);
  for (const button of document.querySelectorAll("[data-close]")) {
    button.addEventListener("click", () => button.closest("dialog").close());
  }
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    at("main").focus();
  });
  setInterval(() => goOn(at("notes")), TIMES_MS);
}

listen();
tried(async () => {
  await begin();
  await loadNotebooks();
  await show();
});
