// One file on its way: whole when it is small, in parts at once when it is large.

import { Refused } from "./api.js";
import { fingerprint } from "./rests.js";
import { NotSent, put } from "./send.js";
import { pauseBefore, rest, Turns } from "./waiting.js";

const LARGE_BYTES = 16 * 1024 * 1024;
const LANES = 4;
const URLS_AT_ONCE = 40;
const URL_SPARE_MS = 30_000;
const REFUSALS_MAX = 6;
const ROUNDS_MAX = 3;
const LOOKS_MAX = 20;

const files = new Turns(2);
const requests = new Turns(LANES);

export class Upload {
  /** waiting, running, lost, paused, finishing, finished, failed, cancelled */
  state = "waiting";
  message = "";
  #api;
  #rests;
  #changed;
  #control = null;
  #id = null;
  #mark = null;
  #done = new Map();
  #out = new Map();
  #urls = new Map();
  #asking = null;
  #running = Promise.resolve();

  constructor(file, api, rests, changed) {
    this.file = file;
    this.#api = api;
    this.#rests = rests;
    this.#changed = changed;
  }

  /** How many bytes storage has, or has nearly. */
  get sent() {
    let bytes = 0;
    for (const size of this.#out.values()) bytes += size;
    for (const part of this.#done.values()) bytes += part.size;
    return Math.min(bytes, this.file.size);
  }

  get mark() {
    return this.#mark;
  }

  get isOver() {
    return ["finished", "failed", "cancelled"].includes(this.state);
  }

  /** Begin, or go on after a pause or a failure. */
  start() {
    this.#control = new AbortController();
    const { signal } = this.#control;
    this.#set("waiting");
    const before = this.#running;
    this.#running = files.take(async () => {
      await before;
      await this.#run(signal);
    });
  }

  pause() {
    this.#set("paused");
    this.#control.abort();
  }

  /** Give it up; what storage has of it is removed. */
  async cancel() {
    this.#set("cancelled");
    this.#control?.abort();
    await this.#running;
    if (this.#mark) this.#rests.remove(this.#mark);
    if (this.#mark && this.#id) {
      await this.#api.request("DELETE", `/service/multipart/${this.#id}`).catch(gone);
    }
  }

  /** Stop without a word, as when its user leaves. */
  drop() {
    this.#control?.abort();
  }

  #set(state, message = "") {
    this.state = state;
    this.message = message;
    this.#changed(this);
  }

  async #run(signal) {
    if (signal.aborted) return;
    this.#set("running");
    try {
      if (this.file.size < LARGE_BYTES) await this.#sendWhole(signal);
      else await this.#sendParts(signal);
      this.#set("finishing");
      await this.#recorded(signal);
      this.#set("finished");
    } catch (error) {
      if (signal.aborted) return;
      this.#control.abort();
      this.#set("failed", error.message);
    } finally {
      this.#out.clear();
    }
  }

  async #sendWhole(signal) {
    const { name, size, type } = described(this.file);
    const path = "/service/upload";
    await this.#tried(signal, async () => {
      const told = await this.#api.request("POST", path, { name, size, type }, signal);
      this.#id = told.id;
      const heard = (bytes) => this.#progress(0, bytes);
      await requests.take(() => put(told.url, this.file, told.headers, signal, heard));
    });
    this.#out.clear();
    this.#done.set(0, { size });
  }

  async #sendParts(signal) {
    for (let round = 0; ; round += 1) {
      const upload = await this.#opened(signal);
      if (!upload) break;
      this.#done = new Map(upload.parts.map((part) => [part.number, part]));
      const all = Array.from({ length: upload.part_count }, (_, index) => index + 1);
      const open = all.filter((number) => !this.#done.has(number));
      const lanes = Array.from({ length: LANES }, () => this.#lane(open, upload, signal));
      await Promise.all(lanes);
      const parts = all.map((number) => ({ number, etag: this.#done.get(number).etag }));
      this.#set("finishing");
      try {
        const path = `/service/multipart/${this.#id}/complete`;
        await this.#api.request("POST", path, { parts }, signal);
        break;
      } catch (error) {
        if (error.status !== 409 || round >= ROUNDS_MAX) throw error;
      }
    }
    this.#rests.remove(this.#mark);
  }

  /** The upload as storage has it, an old or a new one; null when an old one is finished. */
  async #opened(signal) {
    this.#mark ??= await fingerprint(this.file);
    const known = this.#rests.get(this.#mark);
    if (known) {
      try {
        const found = await this.#api.request("GET", multipart(known.id), undefined, signal);
        this.#id = found.id;
        return found;
      } catch (error) {
        if (!(error instanceof Refused && error.status === 404)) throw error;
        if (await this.#isThere(known.id, signal)) {
          this.#id = known.id;
          return null;
        }
        this.#rests.remove(this.#mark);
      }
    }
    const { name, size, type } = described(this.file);
    // Once asked for, the answer is awaited: what was begun must be known to be given up.
    const made = await this.#api.request("POST", "/service/multipart", { name, size, type });
    this.#id = made.id;
    this.#urls.clear();
    this.#rests.set(this.#mark, { id: made.id, name, size });
    signal.throwIfAborted();
    return made;
  }

  async #isThere(id, signal) {
    try {
      const found = await this.#api.request("GET", `/service/files/${id}`, undefined, signal);
      return found.state === "finished";
    } catch (error) {
      if (error instanceof Refused && error.status === 404) return false;
      throw error;
    }
  }

  async #lane(open, upload, signal) {
    while (open.length > 0) {
      signal.throwIfAborted();
      const number = open.shift();
      const begin = (number - 1) * upload.part_size;
      const part = this.file.slice(begin, begin + upload.part_size);
      const etag = await this.#tried(signal, async () => {
        const url = await this.#url(number, open, signal);
        const heard = (bytes) => this.#progress(number, bytes);
        return requests.take(() => put(url, part, {}, signal, heard));
      }, () => this.#urls.delete(number));
      this.#out.delete(number);
      this.#done.set(number, { number, size: part.size, etag });
      this.#changed(this);
    }
  }

  /** Try again after lost connections for as long as it takes, after refusals some times. */
  async #tried(signal, send, onRefusal = () => {}) {
    let refusals = 0;
    for (let attempt = 0; ; attempt += 1) {
      try {
        const found = await send();
        if (this.state === "lost") this.#set("running");
        return found;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof NotSent)) throw error;
        if (error.status !== 0) {
          refusals += 1;
          onRefusal();
          if (refusals >= REFUSALS_MAX) throw error;
        } else if (this.state === "running") {
          this.#set("lost");
        }
        await rest(pauseBefore(attempt), signal);
      }
    }
  }

  /** The address of a part; those of the next parts are asked for with it. */
  async #url(number, open, signal) {
    for (;;) {
      const known = this.#urls.get(number);
      if (known && known.until > Date.now()) return known.url;
      if (this.#asking) {
        // Whoever asked hears of a failure; the others ask again.
        await this.#asking.catch(() => {});
        signal.throwIfAborted();
        continue;
      }
      const parts = [number, ...open.slice(0, URLS_AT_ONCE - 1)];
      this.#asking = this.#ask(parts, signal);
      try {
        await this.#asking;
      } finally {
        this.#asking = null;
      }
    }
  }

  async #ask(parts, signal) {
    const path = `${multipart(this.#id)}/urls`;
    const told = await this.#api.request("POST", path, { parts }, signal);
    const until = Date.now() + told.expires_in * 1000 - URL_SPARE_MS;
    for (const [number, url] of Object.entries(told.urls)) {
      this.#urls.set(Number(number), { url, until });
    }
  }

  #progress(number, bytes) {
    this.#out.set(number, bytes);
    if (this.state === "lost") this.#set("running");
    else this.#changed(this);
  }

  /** Wait until the event of storage has been written down. */
  async #recorded(signal) {
    for (let look = 0; look < LOOKS_MAX; look += 1) {
      const path = `/service/files/${this.#id}`;
      const found = await this.#api.request("GET", path, undefined, signal);
      if (found.state === "finished") return;
      await rest(pauseBefore(Math.min(look, 3)), signal);
    }
    throw new Error("it has arrived, but is not in the list yet");
  }
}

function multipart(id) {
  return `/service/multipart/${id}`;
}

function described(file) {
  const type = /^[\w.+-]+\/[\w.+-]+$/.test(file.type) ? file.type : "application/octet-stream";
  return { name: file.name, size: file.size, type };
}

function gone(error) {
  if (!(error instanceof Refused)) throw error;
}
