// The API: its address, its answers as JSON, and its refusals.

/** What the API answers when it refuses; status 0 when nobody answered. */
export class Refused extends Error {
  constructor(status, body) {
    super(body.message);
    this.status = status;
    this.body = body;
  }
}

let base;

/** Learn where the API is. */
export async function begin() {
  const found = await fetch("config.json", { cache: "no-store" });
  if (!found.ok) throw new Error(`config.json was answered with ${found.status}`);
  base = (await found.json()).api;
}

async function ask(method, path, { body, version } = {}) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (version !== undefined) headers["If-Match"] = `"${version}"`;
  let answer;
  let text;
  try {
    answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
    text = await answer.text();
  } catch {
    throw new Refused(0, { message: "The service cannot be reached. Nothing was lost: try again." });
  }
  const told = parsed(text);
  if (!answer.ok) throw new Refused(answer.status, told?.message ? told : { message: words(answer.status) });
  return told;
}

function parsed(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

function words(status) {
  return status === 429 ? "Too many ask at this moment: try again." : `The answer was ${status}: try again.`;
}

const at = (notebook, id) =>
  `/notebooks/${encodeURIComponent(notebook)}/notes${id ? `/${encodeURIComponent(id)}` : ""}`;

const query = (pairs) =>
  new URLSearchParams(Object.entries(pairs).filter(([, value]) => value)).toString();

export const listNotebooks = (after) => ask("GET", `/notebooks?${query({ after, limit: 100 })}`);
export const makeNotebook = (name) => ask("POST", "/notebooks", { body: { name } });
export const dropNotebook = (name) => ask("DELETE", `/notebooks/${encodeURIComponent(name)}`);
export const listNotes = (notebook, order, after) => ask("GET", `${at(notebook)}?${query({ order, after })}`);
export const findNotes = (what, after) => ask("GET", `/notes?${query({ ...what, after })}`);
export const readNote = (notebook, id) => ask("GET", at(notebook, id));
export const makeNote = (notebook, body) => ask("POST", at(notebook), { body });
export const changeNote = (note, body) => ask("PUT", at(note.notebook, note.id), { body, version: note.version });
export const dropNote = (note) => ask("DELETE", at(note.notebook, note.id), { version: note.version });
