// Who may do what: users, roles and their policies, and a try of a permission.

import { asList, call, everything } from "../aws/call.js";
import { h, replace } from "../ui/dom.js";
import { badge, button, card, cardWith, doing, field, searchable, select, table } from "../ui/parts.js";
import { pretty, when } from "../ui/words.js";

export default async function policies(name) {
  const [users, roles] = await Promise.all([
    everything((Marker) => call("iam", "ListUsers", { Marker }), (a) => a.Users, (a) => a.Marker),
    everything((Marker) => call("iam", "ListRoles", { Marker }), (a) => a.Roles, (a) => a.Marker),
  ]);
  const all = [
    ...users.map((one) => ({ kind: "user", name: one.UserName, arn: one.Arn, made: one.CreateDate })),
    ...roles.map((one) => ({ kind: "role", name: one.RoleName, arn: one.Arn, made: one.CreateDate, trust: one.AssumeRolePolicyDocument })),
  ];
  const chosen = name && all.find((one) => one.name === name);
  if (chosen) return identity(chosen);
  return h("div", {},
    h("div", { class: "head" }, h("h1", {}, "Policies")),
    simulator(all),
    h("div", { class: "card" }, h("header", {}, h("h2", {}, "Users and roles")), searchable([
      { title: "Name", value: (row) => h("a", { href: `#/policies/${encodeURIComponent(row.name)}` }, row.name) },
      { title: "Kind", value: (row) => badge(row.kind), narrow: true },
      { title: "ARN", value: (row) => h("code", {}, row.arn) },
      { title: "Made", value: (row) => when(row.made), narrow: true },
    ], all, { text: (row) => `${row.name} ${row.kind}`, empty: "Nobody but the root of the account.", label: "Search users and roles" })));
}

function simulator(all, fixed) {
  const who = select(all.map((one) => [one.arn, `${one.kind} ${one.name}`]), fixed?.arn ?? all[0]?.arn);
  const action = h("input", { placeholder: "dynamodb:GetItem", spellcheck: "false", required: true });
  const resource = h("input", { placeholder: "*", spellcheck: "false" });
  const result = h("div", { "aria-live": "polite" });
  async function run(event) {
    await doing(event, async () => {
      const answer = await call("iam", "SimulatePrincipalPolicy", {
        PolicySourceArn: who.value,
        ActionNames: action.value.split(/[\s,]+/).filter(Boolean),
        ResourceArns: resource.value ? resource.value.split(/[\s,]+/).filter(Boolean) : undefined,
      });
      replace(result, table([
        { title: "Decision", value: (row) => badge(row.EvalDecision === "allowed" ? "✓ allowed" : row.EvalDecision === "explicitDeny" ? "✗ denied by a statement" : "✗ allowed by nothing", row.EvalDecision === "allowed" ? "good" : "bad"), narrow: true },
        { title: "Action", value: (row) => h("code", {}, row.EvalActionName) },
        { title: "Resource", value: (row) => h("code", {}, row.EvalResourceName) },
        { title: "By", value: (row) => asList(row.MatchedStatements).map((one) => h("div", {}, `${one.SourcePolicyType}: ${one.SourcePolicyId}`)) },
      ], asList(answer.EvaluationResults)));
    });
  }
  return cardWith("May they?", [], h("div", { class: "row" },
    !fixed && field("Who", who), field("Action", action), field("Resource (ARN, empty: any)", resource), button("Try", run, "main-one")), result);
}

async function identity(one) {
  const kind = one.kind === "user" ? "User" : "Role";
  const key = { [`${kind}Name`]: one.name };
  const [inline, attached] = await Promise.all([
    call("iam", `List${kind}Policies`, key).then((found) => asList(found.PolicyNames)),
    call("iam", `ListAttached${kind}Policies`, key).then((found) => asList(found.AttachedPolicies)),
  ]);
  const documents = await Promise.all([
    ...inline.map(async (PolicyName) => {
      const found = await call("iam", `Get${kind}Policy`, { ...key, PolicyName });
      return { title: `${PolicyName} (inline)`, text: decodeURIComponent(found.PolicyDocument) };
    }),
    ...attached.map(async ({ PolicyArn, PolicyName }) => {
      const { Policy } = await call("iam", "GetPolicy", { PolicyArn });
      const found = await call("iam", "GetPolicyVersion", { PolicyArn, VersionId: Policy.DefaultVersionId });
      return { title: `${PolicyName} (${PolicyArn})`, text: decodeURIComponent(found.PolicyVersion.Document) };
    }),
  ]);
  return h("div", {},
    h("div", { class: "head" }, h("div", { class: "crumbs" }, h("a", { href: "#/policies" }, "Policies")), h("h1", {}, one.name), badge(one.kind)),
    simulator([one], one),
    one.trust && card("Who may take this role", h("pre", { class: "box", tabindex: "0" }, pretty(decodeURIComponent(one.trust)))),
    documents.map((found) => card(found.title, h("pre", { class: "box", tabindex: "0" }, pretty(found.text)))),
    !documents.length && card("Policies", h("div", { class: "empty" }, "None: it may do nothing.")));
}
