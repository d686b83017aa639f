// What is seen of a conversation: messages, the text as it comes, and its sentences for listeners.

const element = (id) => document.getElementById(id);
const NEAR_PIXELS = 80;

export class View {
  constructor() {
    this.scroll = element("scroll");
    this.said = ""; // Of the answer that is being spoken, as far as it was.
  }

  clear() {
    element("log").replaceChildren();
    element("welcome").hidden = false;
  }

  // A message's place in the list; `show` changes what is in it.
  add(role, text) {
    const item = document.createElement("li");
    item.className = `said ${role}`;
    const parts = Object.fromEntries(
      ["who", "text", "note"].map((name) => {
        const part = document.createElement(name === "text" ? "div" : "span");
        part.className = name;
        item.append(part);
        return [name, part];
      }),
    );
    parts.who.textContent = role === "user" ? "You" : "Model";
    parts.text.textContent = text;
    parts.note.hidden = true;
    element("log").append(item);
    element("welcome").hidden = true;
    this.#follow(true);
    return { item, ...parts };
  }

  show(place, answer) {
    const shown = place.text.textContent;
    // Most often only something is added; then what is selected stays selected.
    if (answer.text.startsWith(shown)) place.text.append(answer.text.slice(shown.length));
    else {
      place.text.textContent = answer.text;
      this.said = "";
    }
    place.text.normalize();
    place.item.setAttribute("aria-busy", String(!answer.isOver));
    place.item.classList.toggle("failed", answer.state === "failed");
    place.note.textContent = answer.state === "failed" ? `No answer: ${answer.message}.` : "";
    place.note.hidden = answer.state !== "failed";
    this.#follow(false);
    this.#speak(answer);
  }

  // Screen readers hear whole sentences, not every syllable.
  #speak(answer) {
    const rest = answer.text.slice(this.said.length);
    const end = answer.isOver ? rest.length : rest.search(/[.!?…](?=\s)[^.!?…]*$/) + 1;
    if (answer.state === "failed") element("spoken").textContent = `No answer: ${answer.message}.`;
    else if (end > 0) element("spoken").textContent = rest.slice(0, end).trim();
    this.said = answer.isOver ? "" : this.said + rest.slice(0, Math.max(0, end));
  }

  #follow(always) {
    const { scrollHeight, scrollTop, clientHeight } = this.scroll;
    if (always || scrollHeight - scrollTop - clientHeight < NEAR_PIXELS + clientHeight / 4) {
      this.scroll.scrollTo({ top: scrollHeight, behavior: "instant" });
    }
  }

  quota({ limit, remaining, resets }) {
    element("quota-text").textContent = `${remaining} of ${limit} left this month`;
    element("quota-text").title = `The next month begins ${new Date(resets).toLocaleString()}`;
    Object.assign(element("quota-meter"), { max: limit, low: limit / 10, optimum: limit, value: remaining });
  }

  link(state) {
    element("link").dataset.state = state;
    element("link-text").textContent = { open: "Connected", opening: "Connecting…", closed: "Reconnecting…" }[state];
  }

  fault(text) {
    element("room-fault").textContent = text;
    element("room-fault").hidden = !text;
  }
}
