// The page: signing in and out, choosing files, and the lists.

import { Api, Refused } from "./api.js";
import { Rests } from "./rests.js";
import { fileRow, restRow, UploadRow } from "./show.js";
import { Upload } from "./upload.js";

const DRAW_MS = 200;
const at = (id) => document.getElementById(id);

let api;
let rests;
let rows = [];
let next = null;
let isNew = false;

async function begin() {
  const found = await fetch("config.json", { cache: "no-store" });
  if (!found.ok) throw new Error(`config.json was answered with ${found.status}`);
  api = new Api((await found.json()).api);
  api.onEnd = askAgain;
  at("docs").href = api.docs;
  at("docs").hidden = false;
  listen();
  if (api.user) enter();
  else leave();
}

function listen() {
  at("entry").addEventListener("submit", signIn);
  at("switch").addEventListener("click", () => showEntrance(!isNew));
  at("leave").addEventListener("click", signOut);
  at("again-form").addEventListener("submit", signInAgain);
  at("again-leave").addEventListener("click", signOut);
  at("again").addEventListener("cancel", (event) => event.preventDefault());
  at("more").addEventListener("click", () => told(list(next)));
  at("picker").addEventListener("change", (event) => {
    upload(event.target.files);
    event.target.value = "";
  });
  const drop = at("drop");
  for (const kind of ["dragover", "dragleave", "drop"]) {
    // Files that miss the field must not replace the page.
    window.addEventListener(kind, (event) => event.preventDefault());
    drop.addEventListener(kind, () => drop.classList.toggle("over", kind === "dragover"));
  }
  drop.addEventListener("drop", (event) => upload(event.dataTransfer.files));
  window.addEventListener("beforeunload", (event) => {
    if (rows.some((row) => !row.upload.isOver && row.upload.state !== "paused")) event.preventDefault();
  });
  setInterval(() => rows.forEach((row) => row.update()), DRAW_MS);
}

/** Tell what went wrong in something that nobody waits for. */
function told(promise) {
  promise.catch((error) => say(said(error)));
}

function say(text) {
  at("told").textContent = text;
}

function showEntrance(create) {
  isNew = create;
  const word = create ? "Create account" : "Sign in";
  at("entrance-title").textContent = word;
  at("enter").textContent = word;
  at("password").autocomplete = create ? "new-password" : "current-password";
  at("password").minLength = create ? 10 : 0;
  at("password-hint").hidden = !create;
  at("switch-text").textContent = create ? "You have an account?" : "No account yet?";
  at("switch").textContent = create ? "Sign in" : "Create one";
  at("entry-error").textContent = "";
}

async function signIn(event) {
  event.preventDefault();
  const [name, password] = [at("name").value, at("password").value];
  at("enter").disabled = true;
  at("entry-error").textContent = "";
  try {
    if (isNew) await api.signUp(name, password);
    await api.signIn(name, password);
    at("password").value = "";
    enter();
  } catch (error) {
    at("entry-error").textContent = said(error);
  } finally {
    at("enter").disabled = false;
  }
}

async function signInAgain(event) {
  event.preventDefault();
  try {
    await api.signIn(api.user, at("again-password").value);
    at("again").close();
    showUntil();
  } catch (error) {
    at("again-error").textContent = said(error);
  }
  at("again-password").value = "";
}

function askAgain() {
  if (at("again").open) return;
  at("again-name").value = api.user;
  at("again-error").textContent = "";
  at("again").showModal();
  at("again-password").focus();
}

function said(error) {
  return error instanceof Refused ? error.message : "The service cannot be reached.";
}

function enter() {
  rests = new Rests(api.user);
  at("entrance").hidden = true;
  at("inside").hidden = false;
  at("session").hidden = false;
  at("user").textContent = api.user;
  showUntil();
  showRests();
  told(list(null));
}

function showUntil() {
  const time = new Date(api.until).toLocaleTimeString(undefined, { timeStyle: "short" });
  at("until").textContent = `until ${time}`;
}

function leave() {
  for (const row of rows) row.upload.drop();
  rows = [];
  at("uploads").replaceChildren();
  at("files").replaceChildren();
  at("inside").hidden = true;
  at("session").hidden = true;
  at("entrance").hidden = false;
  showEntrance(false);
  at("name").focus();
}

async function signOut() {
  at("again").close();
  const done = api.signOut();
  leave();
  await done;
}

function upload(chosen) {
  for (const file of chosen) {
    let last = "";
    const one = new Upload(file, api, rests, (changed) => {
      if (changed.state !== last) onState(changed);
      last = changed.state;
    });
    const row = new UploadRow(one, clear);
    row.upload = one;
    rows.push(row);
    at("uploads").append(row.element);
    one.start();
  }
}

function onState(upload) {
  rows.find((row) => row.upload === upload)?.update();
  if (upload.state === "finished") told(list(null));
  if (["finished", "failed", "lost", "cancelled"].includes(upload.state)) {
    say(`${upload.file.name}: ${upload.state}`);
  }
  showRests();
}

function clear(row) {
  rows = rows.filter((one) => one !== row);
  row.element.remove();
}

/** Uploads that nobody here is busy with. */
function showRests() {
  const over = ["finished", "cancelled"];
  const held = rows.filter((row) => !over.includes(row.upload.state));
  const busy = new Set(held.map((row) => row.upload.mark));
  const found = rests.all().filter(([mark]) => !busy.has(mark));
  at("unfinished").hidden = found.length === 0;
  at("rests").replaceChildren(...found.map(([mark, rest]) => restRow(rest, () => giveUp(mark, rest))));
}

async function giveUp(mark, rest) {
  rests.remove(mark);
  showRests();
  try {
    await api.request("DELETE", `/service/multipart/${rest.id}`);
  } catch (error) {
    if (error.status !== 404) say(said(error));
  }
}

async function list(after) {
  const found = await api.request("GET", `/service/files${after ? `?after=${after}` : ""}`);
  if (!api.user) return;
  const shown = found.files.map((file) => fileRow(file, (one) => told(download(one)), ask));
  if (after) at("files").append(...shown);
  else at("files").replaceChildren(...shown);
  next = found.next;
  at("more").hidden = !next;
  at("none").hidden = at("files").childElementCount > 0;
}

async function download(file) {
  const found = await api.request("GET", `/service/files/${file.id}`);
  const link = document.createElement("a");
  link.href = found.url;
  link.download = file.name;
  link.click();
  say(`${file.name} is being downloaded`);
}

function ask(file) {
  const dialog = at("sure");
  at("sure-name").textContent = file.name;
  dialog.returnValue = "no";
  dialog.onclose = () => {
    if (dialog.returnValue === "yes") told(remove(file));
  };
  dialog.showModal();
}

async function remove(file) {
  await api.request("DELETE", `/service/files/${file.id}`);
  say(`${file.name} was deleted`);
  await list(null);
}

begin().catch((error) => {
  at("broken").textContent = `The page cannot find its API: ${error.message}`;
  at("broken").hidden = false;
});
