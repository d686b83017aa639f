// Who is signed in: temporary credentials, kept for as long as this tab is open.

const KEY = "cumulet.session";
const listeners = new Set();
let current = read();

function read() {
  try {
    const found = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    return found && found.expiresAt * 1000 > Date.now() ? found : null;
  } catch {
    return null;
  }
}

export function session() {
  if (current && current.expiresAt * 1000 <= Date.now()) signOut();
  return current;
}

export function onChange(listener) {
  listeners.add(listener);
}

function become(found) {
  current = found;
  if (found) sessionStorage.setItem(KEY, JSON.stringify(found));
  else sessionStorage.removeItem(KEY);
  for (const listener of listeners) listener(current);
}

export function signOut() {
  become(null);
}

async function take(headers, body) {
  const answer = await fetch("session", { method: "POST", headers, body });
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.message ?? `The cloud answered ${answer.status}.`);
  become(found);
}

// For the code of a printed link.
export async function signInByCode(code) {
  await take({ "content-type": "application/json" }, JSON.stringify({ code }));
}

// For the access key of an IAM user; the secret itself is not kept.
export async function signInByKey(accessKeyId, secretAccessKey) {
  const { signedHeaders } = await import("./sign.js");
  const headers = await signedHeaders({ accessKeyId, secretAccessKey }, {
    method: "POST",
    path: new URL("session", location.href).pathname,
    headers: { "content-type": "application/json" },
    body: "{}",
    service: "cumulet",
    region: region(),
    host: location.host,
  });
  await take(headers, "{}");
}

const REGION = "cumulet.region";

export function region() {
  return localStorage.getItem(REGION) ?? "us-east-1";
}

export function setRegion(name) {
  localStorage.setItem(REGION, name);
  for (const listener of listeners) listener(current);
}
