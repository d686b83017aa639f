// Keys of the signed-in user, hosts, certificates, and the health of what is stored.

import { asList, call, own, rest } from "../aws/call.js";
import { session } from "../aws/session.js";
import { h, replace } from "../ui/dom.js";
import { badge, button, card, cardWith, doing, facts, failure, notice, table } from "../ui/parts.js";
import { when } from "../ui/words.js";

async function part(title, work) {
  try {
    return card(title, await work());
  } catch (cause) {
    return card(title, failure(cause));
  }
}

export default async function settings() {
  const held = session();
  const health = await fetch("/_cumulet/health").then((answer) => answer.json());
  const checked = h("div", { "aria-live": "polite" });
  const check = (event) => doing(event, async () => {
    const { findings } = await own("check");
    replace(checked, findings.length ? findings.map((one) => notice(one, "bad")) : notice("✓ Everything stored is whole.", "good"));
  });
  return h("div", {},
    h("div", { class: "head" }, h("h1", {}, "Settings")),
    card("You", facts([["Signed in as", h("code", {}, held.arn)], ["Account", held.account], ["Until", when(held.expiresAt)]])),
    cardWith("What is stored", button("Check", check, "small"), h("p", {}, badge(health.status === "running" ? "✓ the store is well" : "✗ the store has failed", health.status === "running" ? "good" : "bad"), health.failure && ` ${health.failure}`), checked),
    await part("Access keys", async () => table([
      { title: "Key", value: (row) => h("code", {}, row.AccessKeyId) },
      { title: "State", value: (row) => badge(row.Status, row.Status === "Active" ? "good" : "warn"), narrow: true },
      { title: "Made", value: (row) => when(row.CreateDate), narrow: true },
    ], asList((await call("iam", "ListAccessKeys")).AccessKeyMetadata), "No keys.")),
    await part("Hosts", async () => table([
      { title: "Name", value: (row) => asList(row.tagSet?.item).find((tag) => tag.key === "Name")?.value ?? row.instanceId },
      { title: "State", value: (row) => badge(row.instanceState?.name), narrow: true },
      { title: "Address", value: (row) => row.ipAddress ?? row.dnsName ?? "–" },
    ], asList((await call("ec2", "DescribeInstances")).reservationSet?.item).flatMap((one) => asList(one.instancesSet?.item)), "No hosts. Add one: cumulet hosts add.")),
    await part("Custom domains", async () => table([
      { title: "Name", value: (row) => row.domainName },
      { title: "State", value: (row) => badge(row.domainNameStatus ?? "AVAILABLE"), narrow: true },
      { title: "Certificate", value: (row) => h("code", {}, row.certificateArn ?? row.regionalCertificateArn ?? "–") },
    ], (await rest("apigateway", "GET", "/domainnames", { query: { limit: 500 } })).item ?? [], "None.")),
    card("Services", h("p", {}, Object.keys(health.services).sort().map((name) => [badge(name), " "]))));
}
