// Lets a WebSocket be opened by whoever shows an access token of this user pool and this client.
//
// The token is verified here: its signature with the pool's published keys, its issuer, its client,
// its use and its time. Nothing but Node.js's own library is needed.

import { createPublicKey, verify } from "node:crypto";

const { USER_POOL_ID, CLIENT_ID, AWS_REGION, AWS_ENDPOINT_URL } = process.env;
const ISSUER = `https://cognito-idp.${AWS_REGION}.amazonaws.com/${USER_POOL_ID}`;
const KEYS_URL = `${AWS_ENDPOINT_URL ? `${AWS_ENDPOINT_URL}/${USER_POOL_ID}` : ISSUER}/.well-known/jwks.json`;
const TOKEN_CHARACTERS_MAX = 8192;
const FETCH_MILLISECONDS_MAX = 3000;
const FETCH_AGAIN_MILLISECONDS = 30_000;

let keys = new Map();
let fetchedAt = -Infinity;
let fetching = null;

async function fetchKeys() {
  const answer = await fetch(KEYS_URL, { signal: AbortSignal.timeout(FETCH_MILLISECONDS_MAX) });
  if (!answer.ok) throw new Error(`the pool's keys could not be had: ${answer.status}`);
  const found = (await answer.json()).keys;
  keys = new Map(
    found
      .filter((key) => key.kty === "RSA" && key.use === "sig")
      .map((key) => [key.kid, createPublicKey({ key, format: "jwk" })]),
  );
}

// A pool changes its keys; one that is not known is looked for, but not at every stranger's wish.
async function keyOf(kid) {
  if (!keys.has(kid) && Date.now() - fetchedAt > FETCH_AGAIN_MILLISECONDS) {
    fetching ??= fetchKeys()
      .then(() => (fetchedAt = Date.now()))
      .finally(() => (fetching = null));
    await fetching;
  }
  return keys.get(kid);
}

const decoded = (part) => JSON.parse(Buffer.from(part, "base64url").toString("utf8"));

// The claims of a token that is true, or null.
export async function claimsOf(token) {
  if (typeof token !== "string" || token.length > TOKEN_CHARACTERS_MAX) return null;
  const parts = token.split(".");
  if (parts.length !== 3) return null;
  let header, claims;
  try {
    [header, claims] = [decoded(parts[0]), decoded(parts[1])];
  } catch {
    return null;
  }
  if (header?.alg !== "RS256" || typeof header.kid !== "string") return null;
  const key = await keyOf(header.kid);
  if (!key) return null;
  const signed = Buffer.from(`${parts[0]}.${parts[1]}`);
  if (!verify("RSA-SHA256", signed, key, Buffer.from(parts[2], "base64url"))) return null;
  const isOurs =
    claims.iss === ISSUER &&
    claims.client_id === CLIENT_ID &&
    claims.token_use === "access" &&
    typeof claims.sub === "string";
  return isOurs && Number.isFinite(claims.exp) && claims.exp * 1000 > Date.now() ? claims : null;
}

export async function handler(event) {
  const claims = await claimsOf(event.queryStringParameters?.token);
  // The gateway answers this very message with 401, and any other with 500.
  if (claims === null) throw new Error("Unauthorized");
  return {
    principalId: claims.sub,
    policyDocument: {
      Version: "2012-10-17",
      Statement: [
        { Action: "execute-api:Invoke", Effect: "Allow", Resource: event.methodArn },
      ],
    },
  };
}
