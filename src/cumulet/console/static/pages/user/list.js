// User pools, their users, and the messages that they were sent.

import { call, everything, own } from "../../aws/call.js";
import { refresh } from "../../main.js";
import { h, replace } from "../../ui/dom.js";
import { ask, confirmDeletion } from "../../ui/dialog.js";
import { badge, button, card, cardWith, doing, facts, failure, field, searchable, table, tabs } from "../../ui/parts.js";
import { count, when } from "../../ui/words.js";

export default async function users(id, name) {
  if (name) return user(id, name);
  if (id) return pool(id);
  const found = await everything((NextToken) => call("cognito", "ListUserPools", { MaxResults: 60, NextToken }), (a) => a.UserPools, (a) => a.NextToken);
  return h("div", {},
    h("div", { class: "head" }, h("h1", {}, "Users")),
    h("div", { class: "card" }, h("header", {}, h("h2", {}, "User pools")), searchable([
      { title: "Name", value: (row) => h("a", { href: `#/users/${row.Id}` }, row.Name) },
      { title: "Id", value: (row) => h("code", {}, row.Id), narrow: true },
      { title: "Made", value: (row) => when(row.CreationDate), narrow: true },
    ], found, { text: (row) => `${row.Name} ${row.Id}`, empty: "No user pools yet.", label: "Search user pools" })),
    await mailbox());
}

async function mailbox() {
  try {
    const { messages } = await own("mail", { to: "", count: 50 });
    const place = h("div", { "aria-live": "polite" });
    return card("Mailbox", h("p", { class: "soft" }, "What pools send stays on this machine, unless a mail server is set."), table([
      { title: "Sent", value: (row) => when(row.sent_at), narrow: true },
      { title: "By", value: (row) => badge(row.medium), narrow: true },
      { title: "To", value: (row) => row.to },
      { title: "Message", value: (row) => h("button", { type: "button", class: "button small", onclick: () => replace(place, h("h3", {}, row.subject || row.to), h("pre", { class: "box", tabindex: "0" }, row.body)) }, h("span", { class: "cut" }, row.subject || row.body.split("\n")[0])) },
    ], messages, "No messages yet."), place);
  } catch (cause) {
    return card("Mailbox", failure(cause));
  }
}

async function pool(id) {
  const about = (await call("cognito", "DescribeUserPool", { UserPoolId: id })).UserPool;
  return h("div", {},
    h("div", { class: "head" }, h("div", { class: "crumbs" }, h("a", { href: "#/users" }, "Users")), h("h1", {}, about.Name), badge(id)),
    tabs({
      Users: () => usersOf(id),
      Groups: async () => card("Groups", table([
        { title: "Name", value: (row) => row.GroupName }, { title: "Description", value: (row) => row.Description ?? "–" },
        { title: "Precedence", value: (row) => row.Precedence ?? "–", number: true }, { title: "Role", value: (row) => row.RoleArn ?? "–" },
      ], await everything((NextToken) => call("cognito", "ListGroups", { UserPoolId: id, NextToken }), (a) => a.Groups, (a) => a.NextToken), "No groups.")),
      Clients: async () => card("App clients", table([
        { title: "Name", value: (row) => row.ClientName }, { title: "Id", value: (row) => h("code", {}, row.ClientId) },
      ], await everything((NextToken) => call("cognito", "ListUserPoolClients", { UserPoolId: id, MaxResults: 60, NextToken }), (a) => a.UserPoolClients, (a) => a.NextToken), "No app clients.")),
      Settings: () => card("Settings", facts([
        ["ARN", h("code", {}, about.Arn)],
        ["Users", count(about.EstimatedNumberOfUsers)],
        ["Sign in with", [...(about.UsernameAttributes ?? []), ...(about.AliasAttributes ?? [])].join(", ") || "user name"],
        ["Second factor", about.MfaConfiguration],
        ["Passwords", h("code", {}, JSON.stringify(about.Policies?.PasswordPolicy ?? {}))],
        ["Triggers", Object.entries(about.LambdaConfig ?? {}).map(([name, arn]) => h("div", {}, `${name}: `, h("code", {}, typeof arn === "string" ? arn : JSON.stringify(arn))))],
      ])),
    }));
}

async function usersOf(id) {
  const found = await everything((PaginationToken) => call("cognito", "ListUsers", { UserPoolId: id, PaginationToken }), (a) => a.Users, (a) => a.PaginationToken, 20);
  const mail = (row) => row.Attributes?.find((one) => one.Name === "email")?.Value ?? "";
  return cardWith("Users", button("Create user", () => create(id), "small"), searchable([
    { title: "Name", value: (row) => h("a", { href: `#/users/${id}/${encodeURIComponent(row.Username)}` }, row.Username) },
    { title: "E-mail", value: mail },
    { title: "State", value: (row) => badge(row.UserStatus, row.UserStatus === "CONFIRMED" ? "good" : "warn"), narrow: true },
    { title: "Enabled", value: (row) => (row.Enabled ? "yes" : "no"), narrow: true },
    { title: "Made", value: (row) => when(row.UserCreateDate), narrow: true },
  ], found, { text: (row) => `${row.Username} ${mail(row)} ${row.UserStatus}`, empty: "No users yet.", label: "Search users" }));
}

async function create(UserPoolId) {
  const done = await ask("Create user", h("div", {},
    field("User name", h("input", { name: "name", required: true, autocomplete: "off" })),
    field("E-mail", h("input", { name: "email", type: "email" })),
    field("Password for the first sign-in", h("input", { name: "password", type: "password", autocomplete: "new-password" }), "Empty: one is made and sent.")), {
    action: "Create user",
    work: (values) => call("cognito", "AdminCreateUser", {
      UserPoolId, Username: values.name, TemporaryPassword: values.password || undefined,
      UserAttributes: values.email ? [{ Name: "email", Value: values.email }, { Name: "email_verified", Value: "true" }] : [],
      ...(values.email ? { DesiredDeliveryMediums: ["EMAIL"] } : { MessageAction: "SUPPRESS" }),
    }),
  });
  if (done) refresh();
}

async function user(UserPoolId, Username) {
  const [about, groups] = await Promise.all([
    call("cognito", "AdminGetUser", { UserPoolId, Username }),
    call("cognito", "AdminListGroupsForUser", { UserPoolId, Username }).then((found) => found.Groups),
  ]);
  const act = (name, words) => button(words, (event) => doing(event, async () => {
    await call("cognito", name, { UserPoolId, Username });
    refresh();
  }, `${words}: done.`));
  return h("div", {},
    h("div", { class: "head" },
      h("div", { class: "crumbs" }, h("a", { href: "#/users" }, "Users"), " / ", h("a", { href: `#/users/${UserPoolId}` }, UserPoolId)),
      h("h1", {}, Username), badge(about.UserStatus, about.UserStatus === "CONFIRMED" ? "good" : "warn"),
      h("div", { class: "actions" },
        about.UserStatus === "UNCONFIRMED" && act("AdminConfirmSignUp", "Confirm"),
        about.Enabled ? act("AdminDisableUser", "Disable") : act("AdminEnableUser", "Enable"),
        act("AdminUserGlobalSignOut", "Sign out everywhere"),
        button("Delete", async () => {
          if (await confirmDeletion("user", Username, () => call("cognito", "AdminDeleteUser", { UserPoolId, Username }))) location.hash = `#/users/${UserPoolId}`;
        }, "danger"))),
    card("User", facts([
      ["Enabled", about.Enabled ? "yes" : "no"], ["Made", when(about.UserCreateDate)],
      ["Groups", groups.map((group) => group.GroupName).join(", ") || "none"],
      ["Second factor", (about.UserMFASettingList ?? []).join(", ") || "none"],
      ...about.UserAttributes.map((one) => [one.Name, one.Value]),
    ])));
}
