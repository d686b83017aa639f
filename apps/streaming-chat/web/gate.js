// The card before the room: sign in, sign up, confirm, a forgotten password.

import { inWords } from "./session.js";

const element = (id) => document.getElementById(id);

const FORMS = {
  "sign-in": {
    title: "Sign in", lead: "to talk with the model", go: "Sign in",
    fields: ["email", "password"], ways: ["sign-up", "forgotten"], complete: "current-password",
  },
  "sign-up": {
    title: "Create an account", lead: "A code is sent to your address.", go: "Create it",
    fields: ["email", "password"], ways: ["sign-in"], complete: "new-password", hint: true,
  },
  confirm: {
    title: "Confirm your address", lead: "Enter the code from the message that was sent to you.",
    go: "Confirm", fields: ["code"], ways: ["again", "sign-in"],
  },
  forgotten: {
    title: "Forgotten password", lead: "A code is sent to your address.", go: "Send the code",
    fields: ["email"], ways: ["sign-in"],
  },
  reset: {
    title: "Choose a new password", lead: "Enter the code from the message that was sent to you.",
    go: "Set it", fields: ["code", "password"], ways: ["sign-in"], complete: "new-password", hint: true,
  },
};
const WAYS = {
  "sign-in": "Sign in", "sign-up": "Create an account", forgotten: "Forgotten password?",
  again: "Send the code again",
};

export class Gate {
  constructor(session, entered) {
    this.session = session;
    this.entered = entered;
    this.password = "";
    element("gate-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  show(name, fault = "") {
    this.name = name;
    const form = FORMS[name];
    element("gate").hidden = false;
    element("gate-title").textContent = form.title;
    element("gate-lead").textContent = form.lead;
    element("gate-go").textContent = form.go;
    for (const field of document.querySelectorAll("[data-field]")) {
      field.hidden = !form.fields.includes(field.dataset.field);
    }
    element("password").autocomplete = form.complete ?? "off";
    element("password-hint").hidden = !form.hint;
    element("code").value = "";
    if (name !== "confirm") element("password").value = "";
    element("gate-ways").replaceChildren(
      ...form.ways.map((way) => {
        const button = Object.assign(document.createElement("button"), {
          type: "button", className: "textual", textContent: WAYS[way],
        });
        button.addEventListener("click", () => (way === "again" ? this.#again() : this.show(way)));
        return button;
      }),
    );
    this.#fault(fault);
    const first = form.fields.find((field) => field !== "email" || !element("email").value);
    element(first ?? form.fields[0]).focus();
  }

  hide() {
    element("gate").hidden = true;
    element("password").value = this.password = "";
  }

  async #submit() {
    const [email, code, password] = ["email", "code", "password"].map((id) => element(id).value.trim());
    const asked = { email, code, password };
    const missing = FORMS[this.name].fields.find((field) => !asked[field]);
    if (missing) {
      this.#fault(`The ${missing === "email" ? "e-mail address" : missing} is missing.`);
      element(missing).focus();
      return;
    }
    const button = element("gate-go");
    button.disabled = true;
    this.#fault("");
    try {
      await this.#steps[this.name](email, code, element("password").value);
    } catch (cause) {
      if (cause?.code === "UserNotConfirmedException") {
        this.password = element("password").value;
        this.show("confirm", inWords(cause));
      } else {
        this.#fault(inWords(cause));
      }
    } finally {
      button.disabled = false;
    }
  }

  #steps = {
    "sign-in": async (email, _, password) => {
      await this.session.signIn(email, password);
      this.entered();
    },
    "sign-up": async (email, _, password) => {
      await this.session.signUp(email, password);
      this.password = password;
      this.show("confirm");
    },
    confirm: async (email, code) => {
      await this.session.confirm(email, code);
      if (!this.password) return this.show("sign-in");
      await this.session.signIn(email, this.password);
      this.entered();
    },
    forgotten: async (email) => {
      await this.session.forget(email);
      this.show("reset");
    },
    reset: async (email, code, password) => {
      await this.session.setPassword(email, code, password);
      await this.session.signIn(email, password);
      this.entered();
    },
  };

  async #again() {
    try {
      await this.session.sendAgain(element("email").value.trim());
      element("gate-lead").textContent = "Another code was sent.";
    } catch (cause) {
      this.#fault(inWords(cause));
    }
  }

  #fault(text) {
    element("gate-fault").textContent = text;
    element("gate-fault").hidden = !text;
  }
}
