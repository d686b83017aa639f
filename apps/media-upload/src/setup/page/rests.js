// Uploads that are not finished, remembered by this browser, so that they go on after a reload.

const PREFIX = "media-upload.rest";
const SAMPLE_BYTES = 65_536;

/** A file's own mark: the same file chosen again has the same; others have another. */
export async function fingerprint(file) {
  const first = file.slice(0, SAMPLE_BYTES);
  const last = file.slice(Math.max(0, file.size - SAMPLE_BYTES));
  const bytes = new Uint8Array(await new Blob([first, last]).arrayBuffer());
  let low = 0x811c9dc5;
  let high = 0x9747b28c;
  for (const byte of bytes) {
    low = Math.imul(low ^ byte, 0x01000193);
    high = Math.imul(high ^ byte, 0x85ebca6b) ^ (high >>> 13);
  }
  const digest = [low, high].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
  return `${file.name}|${file.size}|${file.lastModified}|${digest}`;
}

/** What one user has not finished. */
export class Rests {
  #prefix;

  constructor(user) {
    this.#prefix = `${PREFIX}|${user}|`;
  }

  get(mark) {
    return JSON.parse(localStorage.getItem(this.#prefix + mark) ?? "null");
  }

  set(mark, rest) {
    localStorage.setItem(this.#prefix + mark, JSON.stringify(rest));
  }

  remove(mark) {
    localStorage.removeItem(this.#prefix + mark);
  }

  /** Pairs of mark and rest. */
  all() {
    return Object.keys(localStorage)
      .filter((key) => key.startsWith(this.#prefix))
      .map((key) => key.slice(this.#prefix.length))
      .map((mark) => [mark, this.get(mark)]);
  }
}
