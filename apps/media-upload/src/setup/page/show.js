// Rows and words: how uploads and files are shown. Names of files are text, never markup.

const UNITS = ["bytes", "KB", "MB", "GB", "TB"];
const WORDS = {
  waiting: "Waiting",
  lost: "Connection lost, trying again",
  paused: "Paused",
  finishing: "Finishing",
  finished: "Uploaded",
  cancelled: "Cancelled",
};

export function sizeOf(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toLocaleString(undefined, { maximumFractionDigits: unit > 1 ? 1 : 0 })} ${UNITS[unit]}`;
}

export function durationOf(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export function button(text, label, onclick, kind = "quiet") {
  const made = make("button", { type: "button", className: kind, textContent: text, onclick });
  made.setAttribute("aria-label", label);
  return made;
}

/** One upload's row, which follows it. */
export class UploadRow {
  #upload;
  #detail = make("span", { className: "detail" });
  #bar = make("progress", { max: 1, value: 0 });
  #buttons = make("span", { className: "buttons" });
  #speed = new Speed();
  #state = "";

  constructor(upload, onRemove) {
    this.#upload = upload;
    const { name } = upload.file;
    this.#bar.setAttribute("aria-label", `Progress of ${name}`);
    const text = make("div", {}, make("div", { className: "title", textContent: name }), this.#detail);
    this.element = make("li", {}, text, this.#buttons, this.#bar);
    this.onRemove = onRemove;
    this.update();
  }

  update() {
    const { state, sent, file, message } = this.#upload;
    this.element.dataset.state = state;
    this.#bar.value = file.size ? sent / file.size : state === "finished" ? 1 : 0;
    this.#bar.hidden = this.#upload.isOver;
    this.#detail.textContent = this.#words(state, sent, file.size, message);
    this.#detail.className = `detail ${{ finished: "good", failed: "bad", lost: "bad" }[state] ?? ""}`;
    if (state !== this.#state) this.#buttons.replaceChildren(...this.#offered(state));
    this.#state = state;
  }

  #words(state, sent, size, message) {
    if (state === "failed") return `Failed: ${message}`;
    if (state === "finished") return `${WORDS.finished}, ${sizeOf(size)}`;
    const share = `${sizeOf(sent)} of ${sizeOf(size)}`;
    if (state !== "running") return `${WORDS[state]} · ${share}`;
    const speed = this.#speed.of(sent);
    if (!speed) return share;
    return `${share} · ${sizeOf(speed)}/s · ${durationOf((size - sent) / speed)} left`;
  }

  #offered(state) {
    const upload = this.#upload;
    const { name } = upload.file;
    const cancel = button("Cancel", `Cancel ${name}`, () => upload.cancel());
    if (state === "running" || state === "lost" || state === "waiting") {
      return [button("Pause", `Pause ${name}`, () => upload.pause()), cancel];
    }
    if (state === "paused") {
      return [button("Resume", `Resume ${name}`, () => upload.start(), "main"), cancel];
    }
    if (state === "failed") {
      return [button("Try again", `Try ${name} again`, () => upload.start(), "main"), cancel];
    }
    if (state === "finishing") return [];
    return [button("Clear", `Clear ${name} from the list`, () => this.onRemove(this))];
  }
}

/** Bytes a second, over the last seconds. */
class Speed {
  #seen = [];

  of(sent) {
    const now = performance.now();
    this.#seen.push([now, sent]);
    while (this.#seen.length > 2 && now - this.#seen[0][0] > 4000) this.#seen.shift();
    const [time, bytes] = this.#seen[0];
    return now - time < 500 || sent <= bytes ? 0 : ((sent - bytes) / (now - time)) * 1000;
  }
}

export function fileRow(file, onDownload, onDelete) {
  const when = new Date(file.finished ?? file.created);
  const text = make(
    "div",
    {},
    make("div", { className: "title", textContent: file.name }),
    make(
      "span",
      { className: "detail" },
      `${sizeOf(file.size)} · `,
      make("time", {
        dateTime: when.toISOString(),
        textContent: when.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }),
      }),
    ),
  );
  const buttons = make(
    "span",
    { className: "buttons" },
    button("Download", `Download ${file.name}`, () => onDownload(file)),
    button("Delete", `Delete ${file.name}`, () => onDelete(file)),
  );
  return make("li", {}, text, buttons);
}

export function restRow(rest, onGiveUp) {
  const text = make(
    "div",
    {},
    make("div", { className: "title", textContent: rest.name }),
    make("span", { className: "detail", textContent: sizeOf(rest.size) }),
  );
  const giveUp = button("Give up", `Give ${rest.name} up`, onGiveUp);
  return make("li", {}, text, make("span", { className: "buttons" }, giveUp));
}
