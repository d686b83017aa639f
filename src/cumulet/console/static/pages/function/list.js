// Functions: the list, and a new one.

import { call, everything, rest } from "../../aws/call.js";
import { base64, zip } from "../../aws/zip.js";
import { refresh } from "../../main.js";
import { h } from "../../ui/dom.js";
import { ask } from "../../ui/dialog.js";
import { badge, button, choice, field, searchable, select } from "../../ui/parts.js";
import { size, when } from "../../ui/words.js";
import one from "./one.js";

const RUNTIMES = ["python3.13", "python3.12", "python3.11", "nodejs22.x", "nodejs20.x"];
const NAME = "[a-zA-Z0-9_\\-]{1,64}";
const TRUST = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
});
const BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
const FIRST = {
  python: { file: "lambda_function.py", handler: "lambda_function.lambda_handler", text: `def lambda_handler(event, context):
    return {"message": "Hello from Cumulet", "event": event}
` },
  nodejs: { file: "index.mjs", handler: "index.handler", text: `export const handler = async (event) => {
  return { message: "Hello from Cumulet", event };
};
` },
};

export default async function functions(name, part) {
  if (name) return one(name, part);
  const found = await everything((Marker) => rest("lambda", "GET", "/2015-03-31/functions", { query: { Marker } }), (a) => a.Functions, (a) => a.NextMarker);
  found.sort((a, b) => a.FunctionName.localeCompare(b.FunctionName));
  return h("div", {},
    h("div", { class: "head" }, h("h1", {}, "Functions"), h("div", { class: "actions" }, button("Create function", create, "main-one"))),
    h("div", { class: "card" }, searchable([
      { title: "Name", value: (row) => h("a", { href: `#/functions/${row.FunctionName}` }, row.FunctionName) },
      { title: "Runtime", value: (row) => badge(row.Runtime ?? row.PackageType), narrow: true },
      { title: "Memory", value: (row) => `${row.MemorySize} MB`, number: true },
      { title: "Time limit", value: (row) => `${row.Timeout} s`, number: true },
      { title: "Package", value: (row) => size(row.CodeSize), number: true },
      { title: "Changed", value: (row) => when(row.LastModified), narrow: true },
    ], found, { text: (row) => `${row.FunctionName} ${row.Runtime}`, empty: "No functions yet. Create one, or deploy an application.", label: "Search functions" })));
}

async function rolesForFunctions() {
  const found = await everything((Marker) => call("iam", "ListRoles", { Marker }), (a) => a.Roles, (a) => a.Marker);
  return found.filter((role) => decodeURIComponent(role.AssumeRolePolicyDocument).includes("lambda.amazonaws.com"));
}

async function create() {
  let kind = "new";
  const existing = h("div", { hidden: true });
  const roles = await rolesForFunctions().catch(() => []);
  existing.append(field("Role", select(roles.map((role) => [role.Arn, role.RoleName]), roles[0]?.Arn, { name: "role" })));
  const made = await ask("Create function", h("div", {},
    field("Function name", h("input", { name: "name", required: true, pattern: NAME, title: "Letters, digits, hyphens and underscores; at most 64.", autocomplete: "off", spellcheck: "false" }), "Letters, digits, hyphens and underscores."),
    field("Runtime", select(RUNTIMES, "python3.12", { name: "runtime" })),
    h("div", { class: "field", role: "radiogroup", "aria-label": "Execution role" }, h("div", { class: "label" }, "Execution role"),
      choice("kind", [["new", "Make a new role with basic permissions"], ...(roles.length ? [["old", "Use an existing role"]] : [])], "new", (value) => {
        kind = value;
        existing.hidden = value !== "old";
      })),
    existing), {
    action: "Create function",
    work: async (values) => {
      const made = kind === "new" && await basicRole(values.name);
      try {
        await createWith(values, made ? made.Arn : values.role);
      } catch (cause) {
        // What could not be made whole is not left half made.
        if (made) await dropRole(made.RoleName);
        throw cause;
      }
      return values.name;
    },
  });
  if (made) location.hash = `#/functions/${made}`;
  else refresh();
}

async function createWith({ name, runtime }, Role) {
  const first = runtime.startsWith("python") ? FIRST.python : FIRST.nodejs;
  const code = await zip([{ name: first.file, mode: 0o644, bytes: new TextEncoder().encode(first.text) }]);
  await rest("lambda", "POST", "/2015-03-31/functions", {
    input: { FunctionName: name, Runtime: runtime, Handler: first.handler, Role, Code: { ZipFile: base64(code) } },
  });
}

// As AWS's console makes it: a role for this function, which may write its logs.
async function basicRole(name) {
  const suffix = [...crypto.getRandomValues(new Uint8Array(4))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const RoleName = `${name.slice(0, 50)}-role-${suffix}`;
  const made = await call("iam", "CreateRole", { RoleName, Path: "/service-role/", AssumeRolePolicyDocument: TRUST });
  await call("iam", "AttachRolePolicy", { RoleName, PolicyArn: BASIC });
  return made.Role;
}

async function dropRole(RoleName) {
  await call("iam", "DetachRolePolicy", { RoleName, PolicyArn: BASIC });
  await call("iam", "DeleteRole", { RoleName });
}
