// The frame around the pages: who is signed in, the list of pages, and the way from one to another.

import { onChange, region, session, setRegion, signOut } from "./aws/session.js";
import { h, replace } from "./ui/dom.js";
import { failure, select } from "./ui/parts.js";
import { askToSignIn, followLink } from "./pages/sign_in.js";
import { showKeys } from "./ui/keys.js";

// Address, title, key after `g`, and the module that draws it.
const PAGES = [
  ["home", "Home", "h", "home"],
  ["requests", "Requests", "r", "requests"],
  ["functions", "Functions", "f", "function/list"],
  ["apis", "APIs", "a", "api/list"],
  ["tables", "Tables", "t", "table/list"],
  ["buckets", "Buckets", "b", "bucket/list"],
  ["queues", "Queues", "q", "queue/list"],
  ["users", "Users", "u", "user/list"],
  ["logs", "Logs", "l", "watch/logs"],
  ["alarms", "Alarms", "m", "watch/alarms"],
  ["dashboards", "Dashboards", "d", "watch/dashboards"],
  ["traces", "Traces", "x", "watch/traces"],
  ["stacks", "Stacks", "s", "stack/list"],
  ["costs", "Costs", "c", "costs"],
  ["policies", "Policies", "p", "policies"],
  ["settings", "Settings", "e", "settings"],
];
const REGIONS = ["us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-central-1", "eu-north-1", "eu-south-1", "eu-west-1",
  "eu-west-2", "eu-west-3", "ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1", "sa-east-1"];

const app = document.getElementById("app");
let leave = () => {};
let turn = 0;

function place() {
  const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("/");
  return { name: PAGES.some(([known]) => known === name) ? name : "home", rest: rest.filter(Boolean).map(decodeURIComponent) };
}

// Shown once for a session; pages then change within it.
function frame() {
  const held = session();
  const regions = REGIONS.includes(region()) ? REGIONS : [region(), ...REGIONS];
  const side = h("div", { class: "side", id: "pages" }, h("nav", { "aria-label": "Pages" },
    PAGES.map(([name, title, key]) => h("a", { href: `#/${name}`, "data-page": name }, title, h("kbd", { "aria-hidden": "true" }, `g ${key}`)))));
  const menu = h("button", {
    type: "button", class: "button menu", "aria-expanded": "false", "aria-controls": "pages",
    onclick: () => openMenu(!side.classList.contains("open")),
  }, "Menu");
  function openMenu(open) {
    side.classList.toggle("open", open);
    menu.setAttribute("aria-expanded", String(open));
  }
  side.addEventListener("click", () => openMenu(false));
  replace(app,
    h("a", { class: "skip", href: "#main", onclick: toMain }, "Skip to the page"),
    h("div", { class: "frame" },
      h("header", { class: "bar" },
        menu,
        h("a", { class: "brand", href: "#/home", "aria-label": "Cumulet, home" }, h("img", { src: "cloud.svg", alt: "" }), h("span", {}, "Cumulet")),
        select(regions, region(), { "aria-label": "Region", onchange: (event) => setRegion(event.target.value) }),
        h("button", { type: "button", class: "button", onclick: turnLights, "aria-label": "Switch between light and dark" }, "◐"),
        h("span", { class: "who soft", title: held.arn }, held.arn.split(":").pop()),
        h("button", { type: "button", class: "button", onclick: signOut }, "Sign out")),
      side,
      h("main", { class: "main", id: "main", tabindex: "-1" })));
}

function toMain(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

async function show() {
  leave();
  leave = () => {};
  const mine = ++turn;
  if (!session()) return;
  if (!document.getElementById("main")) frame();
  const { name, rest } = place();
  for (const link of document.querySelectorAll("[data-page]")) {
    if (link.dataset.page === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const [, title, , module] = PAGES.find(([known]) => known === name);
  document.title = `${rest[0] ?? title} · Cumulet`;
  const main = document.getElementById("main");
  replace(main, h("p", { class: "soft", role: "status" }, "Loading…"));
  try {
    const page = await import(`./pages/${module}.js`);
    const shown = await page.default(...rest);
    if (mine !== turn) {
      shown.leave?.();
      return;
    }
    replace(main, shown.element ?? shown);
    leave = shown.leave ?? leave;
  } catch (cause) {
    if (mine === turn) replace(main, h("h1", {}, title), failure(cause));
  }
}

// A page shows itself anew after it changed something.
export function refresh() {
  return show();
}

function turnLights() {
  const root = document.documentElement;
  const dark = getComputedStyle(root).colorScheme === "dark" || (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("cumulet.theme", root.dataset.theme);
}

// The pause in which a letter after `g` counts, or 0.
let waiting = 0;

function pressed(event) {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || document.querySelector("dialog[open]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !session()) return;
  if (waiting) {
    clearTimeout(waiting);
    waiting = 0;
    const found = PAGES.find(([, , key]) => key === event.key);
    if (found) location.hash = `#/${found[0]}`;
  } else if (event.key === "g") {
    waiting = setTimeout(() => { waiting = 0; }, 1500);
  } else if (event.key === "/") {
    event.preventDefault();
    document.querySelector("[data-search]")?.focus();
  } else if (event.key === "?") {
    showKeys(PAGES);
  }
}

function start() {
  if (session()) show();
  else askToSignIn(app);
}

document.documentElement.dataset.theme = localStorage.getItem("cumulet.theme") ?? "";
addEventListener("hashchange", () => {
  // The way back in the browser leaves a question that was asked on the page before.
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  if (!location.hash.startsWith("#code=")) show();
});
addEventListener("keydown", pressed);
onChange(() => {
  replace(app);
  start();
});
if (!crypto.subtle) {
  replace(app, failure(new Error("The browser signs requests only over HTTPS or on this machine: open the console through its https:// address.")));
} else if (location.hash.startsWith("#code=")) {
  followLink(app).then((done) => { if (!done) start(); });
} else {
  start();
}
