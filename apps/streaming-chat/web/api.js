// The API: asking, and the quota. What may be tried again is tried again under the same id.

import { SignedOut } from "./session.js";

const TRIES_MAX = 6;
const PAUSE_MILLISECONDS = 400;

export class Refused extends Error {
  constructor(status, body) {
    super(body?.message ?? `the service answered ${status}`);
    this.status = status;
    this.body = body ?? {};
  }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// An id nobody else has. (`crypto.randomUUID` is for pages behind TLS only.)
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Api {
  constructor(config, session) {
    this.place = config.api;
    this.session = session;
  }

  quota() {
    return this.#call("GET", "/quota");
  }

  ask(id, messages) {
    return this.#call("POST", "/requests", { id, messages });
  }

  async #call(method, path, content) {
    let anew = false;
    for (let turn = 1; ; turn += 1) {
      const { id } = await this.session.tokens(anew);
      let answer, body;
      try {
        answer = await fetch(this.place + path, {
          method,
          headers: { Authorization: id, "Content-Type": "application/json" },
          body: content && JSON.stringify(content),
          signal: AbortSignal.timeout(30_000),
        });
        body = await answer.json().catch(() => null);
      } catch (cause) {
        if (turn === TRIES_MAX) throw new Refused(0, { message: "The service cannot be reached." });
        answer = null;
      }
      if (answer?.ok) return body;
      if (answer?.status === 401) {
        if (anew) throw new SignedOut();
        anew = true;
        continue;
      }
      // A spent quota is told with its limit; a throttle is not, and passes.
      const passes = answer === null || answer.status >= 500 || (answer.status === 429 && !body?.limit);
      if (!passes || turn === TRIES_MAX) throw new Refused(answer.status, body);
      await pause(PAUSE_MILLISECONDS * 2 ** (turn - 1) * (0.5 + Math.random()));
    }
  }
}
