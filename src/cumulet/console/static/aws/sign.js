// AWS Signature Version 4 with the browser's own cryptography.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

const encoder = new TextEncoder();

function bytesOf(data) {
  return typeof data === "string" ? encoder.encode(data) : data;
}

export function hex(buffer) {
  return [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function sha256(data) {
  return hex(await crypto.subtle.digest("SHA-256", bytesOf(data)));
}

async function hmac(key, text) {
  const made = await crypto.subtle.importKey("raw", bytesOf(key), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", made, encoder.encode(text)));
}

// Percent-encoding as RFC 3986 has it: only letters, digits and -._~ stay.
export function escaped(text) {
  return encodeURIComponent(text).replace(/[!'()*]/g, (one) => "%" + one.charCodeAt(0).toString(16).toUpperCase());
}

export function escapedPath(path) {
  return path.split("/").map(escaped).join("/");
}

// Pairs of a query in the order in which they are signed; values that are undefined are left out.
export function queryText(query) {
  return Object.entries(query ?? {})
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [escaped(name), escaped(String(value))])
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

async function signingKey(secret, day, region, service) {
  let key = await hmac("AWS4" + secret, day);
  for (const part of [region, service, "aws4_request"]) key = await hmac(key, part);
  return key;
}

function stamp(now) {
  return now.toISOString().replace(/[-:]|\.\d{3}/g, "");
}

async function signature(session, time, region, service, canonical) {
  const place = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", time, place, await sha256(canonical)].join("\n");
  const key = await signingKey(session.secretAccessKey, time.slice(0, 8), region, service);
  return { place, value: hex(await hmac(key, text)) };
}

// The headers with which `fetch` sends a request in the session's name. `path` is not encoded.
export async function signedHeaders(session, { method, path, query, headers, body, service, region, host, now }) {
  const time = stamp(now ?? new Date());
  const digest = body instanceof Blob ? "UNSIGNED-PAYLOAD" : await sha256(body ?? "");
  const signed = { ...headers, host, "x-amz-date": time };
  if (session.sessionToken) signed["x-amz-security-token"] = session.sessionToken;
  if (service === "s3") signed["x-amz-content-sha256"] = digest;
  const names = Object.keys(signed).sort();
  const sent = escapedPath(path);
  const canonical = [
    method,
    service === "s3" ? sent : escapedPath(sent),
    queryText(query),
    ...names.map((name) => `${name}:${String(signed[name]).trim()}`),
    "",
    names.join(";"),
    digest,
  ].join("\n");
  const { place, value } = await signature(session, time, region, service, canonical);
  const credential = `Credential=${session.accessKeyId}/${place}`;
  const { host: _, ...rest } = signed;
  return { ...rest, authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names.join(";")}, Signature=${value}` };
}

// An address that is good for `seconds` without headers, as links to objects are shared.
export async function signedLink(session, { method = "GET", origin, path, query = {}, service, region, seconds, now }) {
  const time = stamp(now ?? new Date());
  const place = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
  const all = {
    ...query,
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": `${session.accessKeyId}/${place}`,
    "X-Amz-Date": time,
    "X-Amz-Expires": String(seconds),
    "X-Amz-SignedHeaders": "host",
  };
  if (session.sessionToken) all["X-Amz-Security-Token"] = session.sessionToken;
  const host = new URL(origin).host;
  const canonical = [method, escapedPath(path), queryText(all), `host:${host}`, "", "host", "UNSIGNED-PAYLOAD"].join("\n");
  const { value } = await signature(session, time, region, service, canonical);
  return `${origin}${escapedPath(path)}?${queryText(all)}&X-Amz-Signature=${value}`;
}
