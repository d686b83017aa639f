// The parts that pages are made of.

import { freshId, h, replace } from "./dom.js";

export function card(title, ...content) {
  return h("section", { class: "card" }, title && h("header", {}, h("h2", {}, title)), content);
}

// A card whose header has buttons.
export function cardWith(title, actions, ...content) {
  return h("section", { class: "card" }, h("header", {}, h("h2", {}, title), h("div", { class: "actions" }, actions)), content);
}

export function figure(value, label, href) {
  return h(href ? "a" : "div", { class: "card figure", href }, h("b", {}, value), h("span", {}, label));
}

export function button(text, onclick, kind = "", settings = {}) {
  return h("button", { type: "button", class: `button ${kind}`, onclick, ...settings }, text);
}

// Marks have words as well as colours.
export function badge(text, tone = "") {
  return h("span", { class: `badge ${tone}` }, text);
}

export function notice(text, tone = "") {
  return h("div", { class: `notice ${tone}`, role: tone === "bad" ? "alert" : "status" }, text);
}

export function facts(pairs) {
  return h("dl", { class: "facts" }, pairs.filter(Boolean).map(([name, value]) => [h("dt", {}, name), h("dd", {}, Array.isArray(value) && !value.length ? "–" : value ?? "–")]));
}

// `columns`: { title, value(row), number?, narrow? }.
export function table(columns, rows, empty = "Nothing here yet.") {
  if (!rows.length) return h("div", { class: "empty" }, empty);
  const kind = (column) => (column.number ? "number" : column.narrow ? "narrow" : undefined);
  return h("div", { class: "scroll" },
    h("table", {},
      h("thead", {}, h("tr", {}, columns.map((column) => h("th", { scope: "col", class: kind(column) }, column.title)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, columns.map((column) => h("td", { class: kind(column) }, column.value(row))))))));
}

// A table with a box above it that keeps the rows whose text has all of its words.
export function searchable(columns, rows, { text, empty, label = "Search" } = {}) {
  const place = h("div");
  const box = h("input", { type: "search", placeholder: label, "aria-label": label, "data-search": true, oninput: draw });
  function draw() {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    const kept = rows.filter((row) => words.every((word) => text(row).toLowerCase().includes(word)));
    replace(place, table(columns, kept, words.length ? "Nothing matches." : empty));
  }
  draw();
  return h("div", {}, rows.length > 5 && h("div", { class: "filters" }, box), place);
}

export function field(label, input, hint) {
  const id = freshId("field");
  input.id = id;
  const note = hint && h("p", { class: "hint", id: `${id}-hint` }, hint);
  if (note) input.setAttribute("aria-describedby", note.id);
  return h("div", { class: "field" }, h("label", { for: id }, label), input, note);
}

export function select(options, chosen, settings = {}) {
  return h("select", settings, options.map((one) => {
    const [value, text] = Array.isArray(one) ? one : [one, one];
    return h("option", { value, selected: value === chosen }, text);
  }));
}

export function choice(name, options, chosen, onchange) {
  return options.map(([value, text]) => h("label", { class: "choice" },
    h("input", { type: "radio", name, value, checked: value === chosen, onchange: () => onchange(value) }), text));
}

function slug(name) {
  return name.toLowerCase().replaceAll(" ", "-");
}

// Tabs by keyboard too: arrows move between them. With `place`, the page's address, the open tab is
// in the address, so that a page that shows itself anew shows the same tab. `first` is a tab's name
// as the address has it.
export function tabs(pages, first, place) {
  const panel = h("div", { role: "tabpanel", tabindex: "0" });
  const names = Object.keys(pages);
  const buttons = names.map((name) => h("button", { type: "button", role: "tab", onclick: () => open(name), onkeydown: move }, name));
  async function open(name, isFirst = false) {
    if (place && !isFirst) history.replaceState(null, "", `${place}/${slug(name)}`);
    buttons.forEach((one, index) => {
      one.setAttribute("aria-selected", String(names[index] === name));
      one.tabIndex = names[index] === name ? 0 : -1;
    });
    panel.setAttribute("aria-label", name);
    requestAnimationFrame(() => show(buttons[names.indexOf(name)]));
    replace(panel, h("p", { class: "soft" }, "Loading…"));
    try {
      replace(panel, await pages[name]());
    } catch (cause) {
      replace(panel, failure(cause));
    }
  }
  // Where there is no room for all of them, the open one is brought into view.
  function show(one) {
    const list = one.parentElement;
    const [left, right] = [one.offsetLeft - list.offsetLeft, one.offsetLeft - list.offsetLeft + one.offsetWidth];
    if (left < list.scrollLeft || right > list.scrollLeft + list.clientWidth) list.scrollLeft = left - 16;
  }
  function move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (buttons.indexOf(event.target) + step + names.length) % names.length;
    buttons[next].focus();
    open(names[next]);
  }
  open(names.find((name) => slug(name) === first) ?? names[0], true);
  const whole = h("div", {}, h("div", { class: "tabs", role: "tablist" }, buttons), panel);
  whole.open = open;
  return whole;
}

export function failure(cause) {
  const denied = /AccessDenied|NotAuthorized/.test(cause.code ?? "");
  return h("div", { class: "notice bad", role: "alert" },
    h("b", {}, cause.code && cause.code !== cause.message ? `${cause.code}: ` : ""), cause.message,
    denied && h("p", { class: "soft" }, "Your user's policies decide what the console may do; the root of the account may do everything."),
    cause.requestId && h("div", { class: "soft mono" }, `request ${cause.requestId}`));
}

export function toast(text, tone = "good") {
  let place = document.querySelector(".toasts");
  if (!place) document.body.append((place = h("div", { class: "toasts", "aria-live": "polite" })));
  const shown = notice(text, tone);
  place.append(shown);
  setTimeout(() => shown.remove(), 6000);
}

// Do something that a button asked for: the button rests meanwhile, and a failure is shown.
export async function doing(event, work, done) {
  const pressed = event?.currentTarget;
  if (pressed) pressed.disabled = true;
  try {
    const result = await work();
    if (done) toast(done);
    return result;
  } catch (cause) {
    toast(failure(cause), "bad");
    return undefined;
  } finally {
    if (pressed) pressed.disabled = false;
  }
}
