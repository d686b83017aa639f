// A WebSocket API tried from the browser: a connection, what is sent, what comes.

import { h } from "../../../ui/dom.js";
import { badge, button, card, field, select } from "../../../ui/parts.js";
import { replace } from "../../../ui/dom.js";
import { allV2 } from "../calls.js";

const LINES_MAX = 200;

export async function talk(api) {
  const stages = await allV2(`/${api.apiId}/stages`);
  if (!stages.length) return card("Try it", h("div", { class: "empty" }, "No stage yet: deploy the API."));
  const stage = select(stages.map((one) => one.stageName), stages[0].stageName);
  const query = h("input", { placeholder: "token=…", spellcheck: "false" });
  const message = h("textarea", { rows: "3", spellcheck: "false" }, '{"action": "hello"}');
  const lines = h("div", { class: "log", role: "log", tabindex: "0", "aria-label": "What was sent and what came" });
  const state = h("span", { "aria-live": "polite" }, badge("not connected"));
  let socket;
  const say = (sign, text) => {
    lines.append(h("div", {}, h("time", {}, new Date().toLocaleTimeString()), `${sign} ${text}`));
    if (lines.childElementCount > LINES_MAX) lines.firstChild.remove();
    lines.scrollTop = lines.scrollHeight;
  };
  function connect() {
    socket?.close();
    // The console's own name leads to the same cloud, and is what its pages may speak to.
    const address = `${location.origin.replace(/^http/, "ws")}/_aws/execute-api/${api.apiId}/${stage.value}${query.value ? `?${query.value}` : ""}`;
    const opened = socket = new WebSocket(address);
    opened.onopen = () => replace(state, badge("✓ connected", "good"));
    opened.onmessage = (event) => say("←", event.data);
    opened.onclose = (event) => {
      say("×", `closed: ${event.code} ${event.reason}`);
      if (socket === opened) replace(state, badge("✗ not connected", "warn"));
    };
  }
  function send() {
    if (socket?.readyState !== WebSocket.OPEN) return say("×", "not connected");
    socket.send(message.value);
    return say("→", message.value);
  }
  addEventListener("hashchange", () => socket?.close(), { once: true });
  return card("Try it", h("div", { class: "row" }, field("Stage", stage), field("Query of the address", query), button("Connect", connect), button("Close", () => socket?.close()), state),
    h("div", { class: "gap" }), field("Message", message), h("p", {}, button("Send", send, "main-one")), lines);
}
