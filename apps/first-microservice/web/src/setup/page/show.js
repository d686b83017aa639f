// How notes are shown. What people wrote is text, never markup.

const MINUTE = 60_000;
const UNITS = [["year", 525_600], ["month", 43_800], ["day", 1440], ["hour", 60], ["minute", 1]];
const SOON = 60 * MINUTE;

export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** "3 days ago", "in 2 hours". */
export function relative(moment, now = Date.now()) {
  const minutes = (moment - now) / MINUTE;
  const [unit, size] = UNITS.find(([, length]) => Math.abs(minutes) >= length) ?? ["minute", 1];
  const count = Math.trunc(minutes / size);
  if (count === 0) return minutes < 0 ? "just now" : "within a minute";
  return new Intl.RelativeTimeFormat("en", { numeric: "always" }).format(count, unit);
}

function time(moment, prefix, className = "") {
  const shown = make("time", { className, dateTime: moment.toISOString(), title: moment.toLocaleString() });
  shown.dataset.prefix = prefix;
  drawTime(shown);
  return shown;
}

function drawTime(element) {
  const moment = Date.parse(element.dateTime);
  const expiry = element.dataset.prefix === "expires";
  const over = expiry && moment <= Date.now();
  element.textContent = over ? "expired" : `${element.dataset.prefix} ${relative(moment)}`;
  if (!expiry) return;
  element.classList.toggle("soon", moment - Date.now() < SOON);
  element.closest("li")?.classList.toggle("gone", over);
}

/** Let the times of what is shown go on. */
export function goOn(within) {
  within.querySelectorAll("time").forEach(drawTime);
}

/** A note of a list; `withNotebook` when the list is of several notebooks. */
export function card(note, withNotebook, onopen) {
  const about = make(
    "div",
    { className: "about" },
    withNotebook
      ? make("a", { href: `#notebook/${encodeURIComponent(note.notebook)}`, textContent: note.notebook })
      : null,
    note.tag ? make("a", { href: `#tag/${encodeURIComponent(note.tag)}`, textContent: `#${note.tag}` }) : null,
    time(new Date(note.changed), "changed"),
    note.expires ? time(new Date(note.expires), "expires") : null,
  );
  const open = make("button", { type: "button", className: "open", textContent: note.title });
  open.addEventListener("click", () => onopen(note));
  const row = make("li", {}, make("h3", {}, open), make("p", { className: "excerpt", textContent: note.excerpt }), about);
  row.dataset.id = note.id;
  goOn(row);
  return row;
}
