// The API: where it is, who is signed in, and requests that wait out lost connections.

import { pauseBefore, rest } from "./waiting.js";

const KEPT = "media-upload.session";
const TRIES_MAX = 6;

/** What the API answers when it refuses. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export class Api {
  #base;
  #session = null;
  #waiting = [];
  /** Called when the token is no longer good while something needs it. */
  onEnd = () => {};
  /** Called with false when the API cannot be reached, with true when it can again. */
  onReach = () => {};

  constructor(base) {
    this.#base = base;
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
    if (kept && kept.until > Date.now()) this.#session = kept;
  }

  get user() {
    return this.#session?.user ?? null;
  }

  /** Until when the token is good, in milliseconds since 1970. */
  get until() {
    return this.#session?.until ?? 0;
  }

  get docs() {
    return `${this.#base}/docs`;
  }

  async signUp(username, password) {
    await this.#ask("POST", "/signup", { username, password }, null);
  }

  async signIn(username, password) {
    const told = await this.#ask("POST", "/login", { username, password }, null);
    const user = username.trim().toLowerCase();
    const until = Date.now() + told.expires_in * 1000;
    this.#session = { user, until, token: told.access_token };
    sessionStorage.setItem(KEPT, JSON.stringify(this.#session));
    for (const go of this.#waiting.splice(0)) go.resolve();
  }

  /** Forget the token, here at once and there if it can be told. */
  async signOut() {
    const { token } = this.#session ?? {};
    this.#session = null;
    sessionStorage.removeItem(KEPT);
    for (const one of this.#waiting.splice(0)) one.reject(new Refused(401, "signed out"));
    if (token) await this.#ask("POST", "/logout", undefined, token).catch(() => {});
  }

  /**
   * One answer of the API, as JSON. Waits while nobody is signed in and while the connection is
   * lost; throws Refused.
   */
  async request(method, path, body, signal) {
    for (let attempt = 0; ; attempt += 1) {
      const session = this.#session;
      if (!session || session.until <= Date.now()) {
        await this.#signedIn(signal);
        continue;
      }
      try {
        const found = await this.#ask(method, path, body, session.token, signal);
        this.onReach(true);
        return found;
      } catch (error) {
        signal?.throwIfAborted();
        const status = error instanceof Refused ? error.status : 0;
        if (status === 401) {
          if (this.#session === session) this.#session.until = 0;
        } else if (status === 0) {
          this.onReach(false);
          await rest(pauseBefore(attempt), signal);
        } else if ((status === 429 || status >= 500) && attempt < TRIES_MAX) {
          await rest(pauseBefore(attempt), signal);
        } else {
          throw error;
        }
      }
    }
  }

  #signedIn(signal) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      signal?.addEventListener("abort", () => reject(signal.reason));
      this.onEnd();
    });
  }

  async #ask(method, path, body, token, signal) {
    const headers = {};
    if (token) headers.Authorization = `Bearer ${token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const answer = await fetch(this.#base + path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      signal,
    });
    const text = await answer.text();
    if (!answer.ok) throw new Refused(answer.status, sentence(text, answer.status));
    return text ? JSON.parse(text) : null;
  }
}

/** What went wrong, from whatever was answered. */
function sentence(text, status) {
  try {
    const { detail, message } = JSON.parse(text);
    if (Array.isArray(detail)) {
      return detail.map((one) => `${one.loc.at(-1)}: ${one.msg}`).join("; ");
    }
    return detail ?? message ?? `the answer was ${status}`;
  } catch {
    return `the answer was ${status}`;
  }
}
