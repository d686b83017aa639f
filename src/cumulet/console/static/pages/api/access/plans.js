// Usage plans: which stages a key may call, how quickly and how often, and what was used.

import { refresh } from "../../../main.js";
import { h } from "../../../ui/dom.js";
import { ask, confirmDeletion } from "../../../ui/dialog.js";
import { badge, button, cardWith, doing, field, select, table } from "../../../ui/parts.js";
import { chart } from "../../../ui/chart.js";
import { count } from "../../../ui/words.js";
import { all, escapedPart, gateway, patch } from "../calls.js";

const PERIODS = [["", "no quota"], ["DAY", "a day"], ["WEEK", "a week"], ["MONTH", "a month"]];
const DAY_MS = 86400000;
const USAGE_DAYS = 30;

export function limits(throttle) {
  return throttle ? `${throttle.rateLimit} a second, ${throttle.burstLimit} at once` : "none";
}

export function quota(found) {
  return found ? `${count(found.limit)} a ${found.period.toLowerCase()}` : "none";
}

function planFields(about = {}) {
  const { throttle, quota: kept } = about;
  return h("div", {},
    field("Name", h("input", { name: "name", required: true, value: about.name ?? "" })),
    field("Description", h("input", { name: "description", value: about.description ?? "" })),
    h("div", { class: "row" },
      field("Calls a second", h("input", { name: "rate", type: "number", min: "0", step: "any", value: throttle?.rateLimit ?? "" })),
      field("At once", h("input", { name: "burst", type: "number", min: "0", value: throttle?.burstLimit ?? "" }))),
    h("div", { class: "gap" }),
    h("div", { class: "row" },
      field("Calls in all", h("input", { name: "limit", type: "number", min: "1", value: kept?.limit ?? "" })),
      field("Counted", select(PERIODS, kept?.period ?? "", { name: "period" }))),
    h("p", { class: "hint soft" }, "Left empty: no limit of the plan's own."));
}

function told({ name, description, rate, burst, limit, period }) {
  if (Boolean(limit) !== Boolean(period)) throw new Error("A quota needs both: how many calls, and in which time.");
  return {
    name, description: description || undefined,
    throttle: rate || burst ? { rateLimit: Number(rate || 0), burstLimit: Number(burst || 0) } : undefined,
    quota: limit ? { limit: Number(limit), period } : undefined,
  };
}

export async function createPlan() {
  const made = await ask("Create plan", planFields(), { action: "Create plan", work: (values) => gateway("POST", "/usageplans", told(values)) });
  if (made) location.hash = `#/apis/plans/${made.id}`;
}

async function edit(about) {
  const done = await ask(`Plan ${about.name}`, planFields(about), {
    work: async (values) => {
      const wanted = told(values);
      await patch(`/usageplans/${about.id}`, {
        "/name": wanted.name,
        "/description": (wanted.description ?? "") === (about.description ?? "") ? undefined : wanted.description ?? "",
        ...(wanted.throttle ? { "/throttle/rateLimit": wanted.throttle.rateLimit, "/throttle/burstLimit": wanted.throttle.burstLimit } : { "/throttle": about.throttle ? null : undefined }),
        ...(wanted.quota ? { "/quota/limit": wanted.quota.limit, "/quota/period": wanted.quota.period } : { "/quota": about.quota ? null : undefined }),
      });
    },
  });
  if (done) refresh();
}

export async function plan(id) {
  const [about, inPlan, keys, apis] = await Promise.all([
    gateway("GET", `/usageplans/${id}`), all(`/usageplans/${id}/keys`), all("/apikeys"), all("/restapis"),
  ]);
  const used = await usage(id);
  const nameOfApi = (apiId) => apis.find((one) => one.id === apiId)?.name ?? apiId;
  return h("div", {},
    h("div", { class: "head" }, h("div", { class: "crumbs" }, h("a", { href: "#/apis" }, "APIs"), " / Usage plans"), h("h1", {}, about.name),
      badge(`throttle: ${limits(about.throttle)}`), badge(`quota: ${quota(about.quota)}`),
      h("div", { class: "actions" }, button("Edit", () => edit(about)), button("Delete", () => remove(about), "danger"))),
    cardWith("Stages", button("Add stage", () => addStage(about, apis), "small"), table([
      { title: "API", value: (row) => h("a", { href: `#/apis/${row.apiId}/stages` }, nameOfApi(row.apiId)) },
      { title: "Stage", value: (row) => row.stage, narrow: true },
      { title: "Limits of methods", value: (row) => Object.entries(row.throttle ?? {}).map(([method, one]) => h("div", {}, h("code", {}, method), ` ${limits(one)}`)) },
      { title: "", value: (row) => [
        button("Limit a method", () => limitMethod(about, row), "small"), " ",
        button("Remove", (event) => stagePatch(event, about, "remove", `${row.apiId}:${row.stage}`), "small", { "aria-label": `Remove ${nameOfApi(row.apiId)} ${row.stage}` })], narrow: true },
    ], about.apiStages ?? [], "No stages: the plan admits to nothing.")),
    cardWith("Keys", button("Add key", () => addKey(about, keys, inPlan), "small"), table([
      { title: "Name", value: (row) => h("a", { href: `#/apis/keys/${row.id}` }, row.name ?? row.id) },
      { title: "Used today", value: (row) => count(used[row.id]?.at(-1)?.[0]), number: true },
      { title: "Remaining", value: (row) => remaining(used[row.id]), number: true },
      { title: "", value: (row) => [
        about.quota && [button("Extend", () => extend(about, row, used[row.id]), "small", { "aria-label": `Extend ${row.name ?? row.id}` }), " "],
        button("Remove", (event) => doing(event, async () => {
          await gateway("DELETE", `/usageplans/${id}/keys/${row.id}`);
          refresh();
        }), "small", { "aria-label": `Remove key ${row.name ?? row.id}` })], narrow: true },
    ], inPlan, "No keys in the plan.")),
    inPlan.length > 0 && cardWith(`Calls, the last ${USAGE_DAYS} days`, [], chart("Calls a day", inPlan.slice(0, 4).map((one) => ({ name: one.name ?? one.id, points: days(used[one.id]) })), { unit: count })));
}

function dayText(time) {
  return new Date(time).toISOString().slice(0, 10);
}

async function usage(id) {
  const now = Date.now();
  const found = {};
  let position;
  do {
    const answer = await gateway("GET", `/usageplans/${id}/usage`, undefined, { startDate: dayText(now - (USAGE_DAYS - 1) * DAY_MS), endDate: dayText(now), limit: 500, position });
    Object.assign(found, answer.values);
    position = answer.position;
  } while (position);
  return found;
}

function remaining(found) {
  const left = found?.at(-1)?.[1];
  return left === undefined || left < 0 ? "no quota" : count(left);
}

function days(found = []) {
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  return found.map(([used], index) => [today - (found.length - 1 - index) * DAY_MS, used]);
}

async function stagePatch(event, about, op, value) {
  await doing(event, async () => {
    await gateway("PATCH", `/usageplans/${about.id}`, { patchOperations: [{ op, path: "/apiStages", value }] });
    refresh();
  });
}

async function addStage(about, apis) {
  const found = await Promise.all(apis.map(async (api) => {
    const { item = [] } = await gateway("GET", `/restapis/${api.id}/stages`);
    return item.map((stage) => [`${api.id}:${stage.stageName}`, `${api.name} ${stage.stageName}`]);
  }));
  const taken = (about.apiStages ?? []).map((one) => `${one.apiId}:${one.stage}`);
  const free = found.flat().filter(([value]) => !taken.includes(value));
  const done = await ask("Add stage", field("API and stage", select(free, free[0]?.[0], { name: "stage", required: true }), free.length ? undefined : "No stage is free: deploy an API first."), {
    action: "Add stage",
    work: ({ stage }) => gateway("PATCH", `/usageplans/${about.id}`, { patchOperations: [{ op: "add", path: "/apiStages", value: stage }] }),
  });
  if (done) refresh();
}

async function limitMethod(about, row) {
  const done = await ask(`Limit a method of ${row.stage}`, h("div", {},
    field("Method and path", h("input", { name: "method", required: true, placeholder: "GET /scores/{id}", pattern: "[A-Z]+ /.*", spellcheck: "false" })),
    h("div", { class: "row" },
      field("Calls a second", h("input", { name: "rate", type: "number", min: "0", step: "any", required: true })),
      field("At once", h("input", { name: "burst", type: "number", min: "0", required: true })))), {
    work: ({ method, rate, burst }) => {
      const [verb, path] = method.split(" ");
      const at = `/apiStages/${row.apiId}:${row.stage}/throttle/${escapedPart(path)}/${verb}`;
      return patch(`/usageplans/${about.id}`, { [`${at}/rateLimit`]: rate, [`${at}/burstLimit`]: burst });
    },
  });
  if (done) refresh();
}

async function addKey(about, keys, inPlan) {
  const free = keys.filter((one) => !inPlan.some((known) => known.id === one.id)).map((one) => [one.id, one.name ?? one.id]);
  const done = await ask("Add key", field("Key", select(free, free[0]?.[0], { name: "key", required: true }), free.length ? undefined : "No key is free: create one first."), {
    action: "Add key",
    work: ({ key }) => gateway("POST", `/usageplans/${about.id}/keys`, { keyId: key, keyType: "API_KEY" }),
  });
  if (done) refresh();
}

async function extend(about, row, used) {
  const done = await ask(`Extend ${row.name ?? row.id}`, field("Calls remaining in this period", h("input", { name: "left", type: "number", min: "0", required: true, value: Math.max(0, used?.at(-1)?.[1] ?? 0) })), {
    action: "Extend",
    work: ({ left }) => patch(`/usageplans/${about.id}/keys/${row.id}/usage`, { "/remaining": left }),
  });
  if (done) refresh();
}

async function remove(about) {
  const done = await confirmDeletion("plan", about.name, async () => {
    // A plan goes only after its stages.
    const patchOperations = (about.apiStages ?? []).map((one) => ({ op: "remove", path: "/apiStages", value: `${one.apiId}:${one.stage}` }));
    if (patchOperations.length) await gateway("PATCH", `/usageplans/${about.id}`, { patchOperations });
    await gateway("DELETE", `/usageplans/${about.id}`);
  });
  if (done) location.hash = "#/apis";
}
