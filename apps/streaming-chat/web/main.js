// The page: who is there, what was said, and what is still being answered.

import { Answer } from "./answers.js";
import { Api, newId } from "./api.js";
import { Gate } from "./gate.js";
import { Session, SignedOut } from "./session.js";
import { Link } from "./socket.js";
import { View } from "./view.js";

const STARTERS = ["Why is the sky blue?", "Tell me a short story about a lighthouse.", "What makes bread rise?"];
const KEPT = "conversation"; // For this window, so that a page that is loaded again goes on.
const TURNS_SENT_MAX = 10;
const CHARACTERS_SENT_MAX = 30_000;
const ASK_AGAIN_MILLISECONDS = 3_000;
const ASK_AGAIN_MILLISECONDS_MAX = 15_000;

const element = (id) => document.getElementById(id);

class Room {
  constructor(config, session) {
    this.session = session;
    this.api = new Api(config, session);
    this.view = new View();
    this.turns = []; // {id, question, text, state, message}
    this.open = new Map(); // id → {answer, place, turn, heardAt, pause}
    this.link = new Link(config, session, {
      tell: (state) => this.#linked(state),
      hear: (message) => this.#hear(message),
      signedOut: () => this.leave("You were signed out."),
    });
    element("ask").addEventListener("submit", (event) => this.#submit(event));
    element("prompt").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.#submit(event);
    });
    element("sign-out").addEventListener("click", () => this.leave(""));
    element("anew").addEventListener("click", () => this.#anew());
    for (const text of STARTERS) {
      const item = document.createElement("li");
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: text });
      button.addEventListener("click", () => this.#ask(text));
      item.append(button);
      element("starters").append(item);
    }
    setInterval(() => this.#look(), 1_000);
  }

  enter() {
    element("room").hidden = element("standing").hidden = false;
    this.#restore();
    this.link.open();
    this.#refreshQuota();
    element("prompt").focus();
  }

  async leave(why) {
    this.link.close();
    element("room").hidden = element("standing").hidden = true;
    this.#anew();
    await this.session.signOut();
    this.left(why);
  }

  #anew() {
    this.turns = [];
    this.open.clear();
    this.#keep();
    this.view.clear();
    this.view.fault("");
    element("prompt").focus();
  }

  async #refreshQuota() {
    try {
      this.view.quota(await this.api.quota());
    } catch (cause) {
      this.#failed(cause);
    }
  }

  #submit(event) {
    event.preventDefault();
    const text = element("prompt").value.trim();
    if (text) this.#ask(text);
  }

  async #ask(text) {
    if (element("send").disabled) return;
    this.view.fault("");
    const turn = { id: newId(), question: text, text: "", state: "asking", message: "" };
    const messages = this.#messages(text);
    this.turns.push(turn);
    element("prompt").value = "";
    this.view.add("user", text);
    const work = this.#begin(turn);
    element("send").disabled = true;
    this.#keep();
    try {
      this.view.quota(await this.api.ask(turn.id, messages));
      turn.state = "waiting";
      work.heardAt = Date.now();
    } catch (cause) {
      if (cause.body?.limit) this.view.quota(cause.body);
      work.answer.hear({ type: "failed", message: cause.body?.limit ? "this month's requests are used up" : "it could not be sent" });
      this.#update(work);
      this.#failed(cause);
    }
    this.#keep();
  }

  // What was said before goes along, as much of it as may.
  #messages(text) {
    const found = [{ role: "user", text }];
    let size = text.length;
    const answered = this.turns.filter((turn) => turn.state === "done" && turn.text.trim());
    for (const turn of answered.slice(-TURNS_SENT_MAX).reverse()) {
      const said = turn.text.slice(0, 8_000);
      size += turn.question.length + said.length;
      if (size > CHARACTERS_SENT_MAX) break;
      found.unshift({ role: "user", text: turn.question }, { role: "assistant", text: said });
    }
    return found;
  }

  #begin(turn) {
    const work = {
      turn, answer: new Answer(turn.id), place: this.view.add("assistant", ""),
      heardAt: Date.now(), pause: ASK_AGAIN_MILLISECONDS,
    };
    this.open.set(turn.id, work);
    this.view.show(work.place, work.answer);
    return work;
  }

  #hear(message) {
    const work = this.open.get(message.id);
    if (!work || (message.type === "unknown" && work.turn.state === "asking")) return;
    work.heardAt = Date.now();
    work.pause = ASK_AGAIN_MILLISECONDS;
    if (!work.answer.hear(message)) this.link.send(work.answer.resumption());
    this.#update(work);
  }

  #update({ turn, answer, place }) {
    this.view.show(place, answer);
    Object.assign(turn, { text: answer.text, message: answer.message });
    if (!answer.isOver) return;
    turn.state = answer.state;
    this.open.delete(turn.id);
    element("send").disabled = this.open.size > 0;
    this.#keep();
  }

  #linked(state) {
    this.view.link(state);
    if (state !== "open") return;
    for (const { answer } of this.open.values()) this.link.send(answer.resumption());
  }

  // An answer that is quiet for long may have been missed: ask.
  #look() {
    for (const work of this.open.values()) {
      if (Date.now() - work.heardAt < work.pause) continue;
      work.heardAt = Date.now();
      work.pause = Math.min(ASK_AGAIN_MILLISECONDS_MAX, work.pause * 2);
      this.link.send(work.answer.resumption());
    }
  }

  #failed(cause) {
    if (cause instanceof SignedOut) this.leave("You were signed out.");
    else this.view.fault(cause.message[0].toUpperCase() + cause.message.slice(1) + (cause.message.endsWith(".") ? "" : "."));
  }

  #keep() {
    sessionStorage.setItem(KEPT, JSON.stringify(this.turns));
  }

  #restore() {
    this.view.clear();
    this.open.clear();
    try {
      this.turns = JSON.parse(sessionStorage.getItem(KEPT)) ?? [];
    } catch {
      this.turns = [];
    }
    for (const turn of this.turns) {
      this.view.add("user", turn.question);
      if (turn.state === "done" || turn.state === "failed") {
        const place = this.view.add("assistant", "");
        this.view.show(place, { text: turn.text, state: turn.state, message: turn.message, isOver: true });
      } else {
        // It was sent, or it was not: whichever, asking for it tells.
        turn.state = "waiting";
        this.#begin(turn);
      }
    }
    element("send").disabled = this.open.size > 0;
  }
}

async function start() {
  const config = await (await fetch("config.json", { cache: "no-store" })).json();
  const session = new Session(config);
  const room = new Room(config, session);
  const gate = new Gate(session, () => {
    gate.hide();
    room.enter();
  });
  room.left = (why) => gate.show("sign-in", why);
  if (session.user) room.enter();
  else gate.show("sign-in");
}

start();
