// Dashboards: made, shown for a range, and edited widget by widget or as JSON.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html

import { call, everything } from "../../aws/call.js";
import { region } from "../../aws/session.js";
import { ask, confirmDeletion } from "../../ui/dialog.js";
import { h, replace } from "../../ui/dom.js";
import { editor } from "../../ui/editor.js";
import { parsed } from "../../ui/form.js";
import { button, doing, failure, field, notice, searchable, tabs, toast } from "../../ui/parts.js";
import { rangePicker } from "../../ui/range.js";
import { pretty, size, when } from "../../ui/words.js";
import { widget } from "./widgets/widget.js";

const SECONDS = 60;
const FIRST = {
  metric: () => ({ type: "metric", width: 12, height: 6, properties: { title: "Calls of functions", region: region(), view: "timeSeries", stat: "Sum", period: 60, metrics: [["AWS/Lambda", "Invocations"], [".", "Errors"]] } }),
  text: () => ({ type: "text", width: 12, height: 3, properties: { markdown: "# Title\n\nSome **words**." } }),
  alarm: () => ({ type: "alarm", width: 12, height: 3, properties: { title: "Alarms", alarms: [] } }),
  log: () => ({ type: "log", width: 24, height: 6, properties: { title: "Last lines", region: region(), view: "table", query: "SOURCE '/aws/lambda/name' | fields @timestamp, @message | sort @timestamp desc | limit 20" } }),
};

export default async function dashboards(name, part) {
  if (name) return one(name, part);
  const found = await everything((NextToken) => call("monitoring", "ListDashboards", { NextToken }), (a) => a.DashboardEntries, (a) => a.NextToken);
  return h("div", {},
    h("div", { class: "head" }, h("h1", {}, "Dashboards"), h("div", { class: "actions" }, button("Create dashboard", create, "main-one"))),
    h("div", { class: "card" }, searchable([
      { title: "Name", value: (row) => h("a", { href: `#/dashboards/${row.DashboardName}` }, row.DashboardName) },
      { title: "Size", value: (row) => size(row.Size), number: true },
      { title: "Changed", value: (row) => when(row.LastModified), narrow: true },
    ], found, { text: (row) => row.DashboardName, empty: "No dashboards yet.", label: "Search dashboards" })));
}

async function create() {
  const made = await ask("Create dashboard", field("Dashboard name", h("input", { name: "name", required: true, pattern: "[A-Za-z0-9_\\-]{1,255}", autocomplete: "off" }), "Letters, digits, - and _."), {
    action: "Create dashboard",
    work: async ({ name }) => {
      await put(name, { widgets: [] });
      return name;
    },
  });
  if (made) location.hash = `#/dashboards/${made}`;
}

// Keeps a body, and answers with the warnings that there were. Throws with `details` where it is refused.
async function put(DashboardName, body) {
  const { DashboardValidationMessages = [] } = await call("monitoring", "PutDashboard", { DashboardName, DashboardBody: JSON.stringify(body) });
  return DashboardValidationMessages;
}

async function one(name, part) {
  const { DashboardBody } = await call("monitoring", "GetDashboard", { DashboardName: name });
  const body = JSON.parse(DashboardBody);
  let shown;
  const pictures = () => {
    shown?.leave();
    shown = board(name, body);
    return shown.element;
  };
  const element = h("div", {},
    h("div", { class: "head" }, h("div", { class: "crumbs" }, h("a", { href: "#/dashboards" }, "Dashboards")), h("h1", {}, name), 
      h("div", { class: "actions" }, button("Delete", () => remove(name), "danger"))),
    tabs({ Pictures: pictures, Body: () => source(name, body) }, part, `#/dashboards/${name}`));
  return { element, leave: () => shown?.leave() };
}

function board(name, body) {
  let arranges = !body.widgets?.length;
  const place = h("div", { class: "board" });
  const range = rangePicker(draw);
  const tools = h("div", { class: "filters" });
  const change = async (widgets) => {
    messages(await put(name, { ...body, widgets }));
    body.widgets = widgets;
    draw();
  };
  function draw() {
    const widgets = body.widgets ?? [];
    replace(tools, button("Refresh", draw), button(arranges ? "Done" : "Arrange", () => { arranges = !arranges; draw(); tools.querySelectorAll("button")[1].focus(); }),
      arranges && [h("span", { class: "soft" }, "Add:"), Object.keys(FIRST).map((kind) => button(kind[0].toUpperCase() + kind.slice(1), (event) => doing(event, () => add(kind)), "small", { "aria-label": `Add a widget: ${kind}` }))]);
    try {
      const span = range.range();
      replace(place, widgets.map((about, index) => placed(about, widget(about, span, arranges ? own(about, index) : [], `${name}-${index + 1}`))),
        !widgets.length && h("div", { class: "card empty" }, "No widgets yet: add one."));
    } catch (cause) {
      replace(place, failure(cause));
    }
  }
  function own(about, index) {
    return [
      button("Edit", () => edit(about, index), "small", { "aria-label": `Edit widget ${index + 1}` }),
      button("Remove", (event) => doing(event, () => change(body.widgets.filter((_, at) => at !== index))), "small", { "aria-label": `Remove widget ${index + 1}` }),
    ];
  }
  async function edit(about, index) {
    const text = editor(pretty(about), { label: "Widget", rows: 16 });
    await ask("Edit widget", h("div", {}, text), {
      work: () => change(body.widgets.map((other, at) => (at === index ? parsed(text.area.value, "The widget") : other))),
    });
  }
  // A new widget stands below all others, at the left.
  function add(kind) {
    const low = Math.max(0, ...(body.widgets ?? []).map((about) => (about.y ?? 0) + (about.height ?? 6)));
    return change([...(body.widgets ?? []), { x: 0, y: low, ...FIRST[kind]() }]);
  }
  draw();
  const busy = "dialog[open], .board details[open], .board :focus";
  const timer = setInterval(() => { if (!document.hidden && !arranges && !document.querySelector(busy)) draw(); }, SECONDS * 1000);
  const element = h("div", {}, h("section", { class: "card" }, range, h("div", { class: "gap" }), tools), place);
  return { element, leave: () => clearInterval(timer) };
}

// On AWS's grid of 24 columns; on a phone all stand below each other.
function placed(about, element) {
  element.style.setProperty("--column", `${(about.x ?? 0) + 1} / span ${Math.min(24, about.width ?? 6)}`);
  element.style.setProperty("--order", String((about.y ?? 0) * 100 + (about.x ?? 0)));
  return element;
}

function messages(found) {
  for (const one of found) toast(`${one.DataPath}: ${one.Message}`, "warn");
}

function source(name, body) {
  const text = editor(pretty(body), { label: "Body of the dashboard (JSON)", rows: 24 });
  const result = h("div", { "aria-live": "polite" });
  const save = (event) => doing(event, async () => {
    replace(result);
    try {
      const warnings = await put(name, parsed(text.area.value, "The body"));
      replace(result, warnings.length ? warnings.map((one) => notice(`${one.DataPath}: ${one.Message}`, "warn")) : notice("✓ Saved.", "good"));
      Object.keys(body).forEach((key) => delete body[key]);
      Object.assign(body, JSON.parse(text.area.value));
    } catch (cause) {
      const found = cause.details?.dashboardValidationMessages ?? [];
      replace(result, found.length ? found.map((one) => notice(`${one.DataPath || "/"}: ${one.Message}`, "bad")) : failure(cause));
    }
  });
  return h("section", { class: "card" }, text, h("div", { class: "gap" }), h("p", {}, button("Save", save, "main-one")), result);
}

async function remove(name) {
  if (await confirmDeletion("dashboard", name, () => call("monitoring", "DeleteDashboards", { DashboardNames: [name] }))) location.hash = "#/dashboards";
}
