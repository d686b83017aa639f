// The socket on which answers come. It opens itself again for as long as it is wanted.

import { SignedOut } from "./session.js";

const PAUSE_MILLISECONDS = 400;
const PAUSE_MILLISECONDS_MAX = 20_000;
const PING_MILLISECONDS = 240_000; // Gateways close what is quiet for ten minutes.

export class Link {
  // `tell(state)` hears `opening`, `open` and `closed`; `hear(message)` what comes.
  constructor(config, session, { tell, hear, signedOut }) {
    Object.assign(this, { place: config.socket, session, tell, hear, signedOut });
    this.wanted = false;
    this.failures = 0;
    this.socket = null;
    this.timer = null;
    addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
    setInterval(() => this.send({ action: "ping" }), PING_MILLISECONDS);
  }

  open() {
    this.wanted = true;
    this.#connect();
  }

  close() {
    this.wanted = false;
    clearTimeout(this.timer);
    this.socket?.close();
  }

  // Whether it went out; what did not is asked for again once the socket is open.
  send(message) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  async #connect() {
    clearTimeout(this.timer);
    if (this.socket || !this.wanted) return;
    this.tell("opening");
    const mine = (this.socket = {}); // Nobody else begins while the token is fetched.
    let token;
    try {
      token = (await this.session.tokens(this.failures > 2)).access;
    } catch (cause) {
      this.socket = null;
      if (cause instanceof SignedOut) return this.signedOut();
      return this.#later();
    }
    if (!this.wanted || this.socket !== mine) return (this.socket = null);
    const socket = (this.socket = new WebSocket(`${this.place}?token=${encodeURIComponent(token)}`));
    socket.onopen = () => {
      this.failures = 0;
      this.tell("open");
    };
    socket.onmessage = (event) => this.hear(JSON.parse(event.data));
    socket.onclose = () => {
      this.socket = null;
      this.#later();
    };
  }

  #later() {
    if (!this.wanted) return this.tell("closed");
    this.tell("closed");
    const pause = Math.min(PAUSE_MILLISECONDS_MAX, PAUSE_MILLISECONDS * 2 ** this.failures);
    this.failures += 1;
    this.timer = setTimeout(() => this.#connect(), pause * (0.5 + Math.random()));
  }

  #hurry() {
    if (this.wanted && !this.socket) this.#connect();
  }
}
