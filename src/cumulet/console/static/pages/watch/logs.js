// Log groups, search and tail.

import { call, everything } from "../../aws/call.js";
import { h, replace } from "../../ui/dom.js";
import { button, failure, searchable, select } from "../../ui/parts.js";
import { size, when } from "../../ui/words.js";

const LINES_MAX = 1000;
const TAIL_SECONDS = 2;
const SPANS = [["900", "15 minutes"], ["3600", "1 hour"], ["10800", "3 hours"], ["86400", "1 day"], ["604800", "7 days"], ["2592000", "30 days"]];

export default async function logs(...parts) {
  if (parts.length) {
    const group = parts.join("/");
    const shown = await tail(group);
    return {
      element: h("div", {}, h("div", { class: "head" }, h("div", { class: "crumbs" }, h("a", { href: "#/logs" }, "Logs")), h("h1", {}, group)), shown.element),
      leave: shown.leave,
    };
  }
  const found = await everything((nextToken) => call("logs", "DescribeLogGroups", { nextToken }), (a) => a.logGroups, (a) => a.nextToken);
  return h("div", {},
    h("div", { class: "head" }, h("h1", {}, "Logs")),
    h("div", { class: "card" }, searchable([
      { title: "Group", value: (row) => h("a", { href: `#/logs/${encodeURIComponent(row.logGroupName)}` }, row.logGroupName) },
      { title: "Kept for", value: (row) => (row.retentionInDays ? `${row.retentionInDays} days` : "always"), narrow: true },
      { title: "Size", value: (row) => size(row.storedBytes), number: true },
      { title: "Made", value: (row) => when(row.creationTime), narrow: true },
    ], found, { text: (row) => row.logGroupName, empty: "No log groups yet: functions make theirs when they are called first.", label: "Search log groups" })));
}

// A group's lines: those that match, of a span of time; new ones come by themselves.
export async function tail(group) {
  let follows = true;
  let seconds = 3600;
  const pattern = h("input", { type: "search", placeholder: 'Filter pattern: ERROR, "time out", { $.level = "WARN" }', "aria-label": "Filter pattern", "data-search": true, onkeydown: (event) => { if (event.key === "Enter") look(); } });
  const span = select(SPANS, "3600", { "aria-label": "Span of time", onchange: (event) => { seconds = Number(event.target.value); look(); } });
  const lines = h("div", { class: "log", tabindex: "0", role: "log", "aria-label": `Lines of ${group}` });
  const follow = button("Pause", () => {
    follows = !follows;
    follow.textContent = follows ? "Pause" : "Follow";
  });
  // A group that is not there yet, as functions make theirs when they are called first, is waited for.
  let exists = false;
  async function isThere() {
    const answer = await call("logs", "DescribeLogGroups", { logGroupNamePrefix: group });
    return answer.logGroups.some((one) => one.logGroupName === group);
  }
  async function read() {
    exists ||= await isThere();
    if (!exists) return [];
    const startTime = Date.now() - seconds * 1000;
    const filterPattern = pattern.value.trim() || undefined;
    const found = [];
    let nextToken;
    for (let page = 0; page < 20; page++) {
      const answer = await call("logs", "FilterLogEvents", { logGroupName: group, startTime, filterPattern, nextToken, limit: 10000 });
      found.push(...answer.events);
      nextToken = answer.nextToken;
      if (!nextToken) break;
    }
    return found;
  }
  async function look() {
    try {
      const found = await read();
      const shown = found.slice(-LINES_MAX);
      const low = lines.scrollTop + lines.clientHeight >= lines.scrollHeight - 30;
      replace(lines,
        found.length > shown.length && h("p", { class: "soft" }, `The last ${LINES_MAX} of ${found.length} lines.`),
        shown.map((event) => h("div", {}, h("time", {}, when(event.timestamp)), event.message.replace(/\n$/, ""))),
        !shown.length && h("p", { class: "soft" }, exists ? "No lines in this time." : "Nothing was written yet."));
      if (low) lines.scrollTop = lines.scrollHeight;
    } catch (cause) {
      replace(lines, failure(cause));
    }
  }
  await look();
  const timer = setInterval(() => { if (follows && !document.hidden) look(); }, TAIL_SECONDS * 1000);
  const element = h("section", { class: "card" }, h("div", { class: "filters" }, pattern, span, button("Search", look), follow), lines);
  requestAnimationFrame(() => { lines.scrollTop = lines.scrollHeight; });
  return { element, leave: () => clearInterval(timer) };
}
