// Stacks: resources, events, outputs, and a picture of what depends on what.

import { asList, call, everything } from "../../aws/call.js";
import { h } from "../../ui/dom.js";
import { confirmDeletion } from "../../ui/dialog.js";
import { badge, button, card, facts, notice, searchable, table, tabs } from "../../ui/parts.js";
import { when } from "../../ui/words.js";
import { templateGraph } from "./graph.js";

function mark(status) {
  const tone = /FAILED|ROLLBACK/.test(status) ? "bad" : /IN_PROGRESS/.test(status) ? "warn" : "good";
  return badge(`${{ bad: "✗", warn: "…", good: "✓" }[tone]} ${status}`, tone);
}

// Where the console shows a resource, if it does.
function pageOf(row) {
  const id = encodeURIComponent(row.PhysicalResourceId ?? "");
  return {
    "AWS::Lambda::Function": `#/functions/${id}`,
    "AWS::DynamoDB::Table": `#/tables/${id}`,
    "AWS::S3::Bucket": `#/buckets/${id}`,
    "AWS::SQS::Queue": `#/queues/${encodeURIComponent((row.PhysicalResourceId ?? "").split("/").pop())}`,
    "AWS::ApiGateway::RestApi": `#/apis/${id}`,
    "AWS::Logs::LogGroup": `#/logs/${id}`,
    "AWS::IAM::Role": `#/policies/${id}`,
    "AWS::Cognito::UserPool": `#/users/${id}`,
  }[row.ResourceType];
}

export default async function stacks(name) {
  if (name) return one(name);
  const found = await everything((NextToken) => call("cloudformation", "DescribeStacks", { NextToken }), (a) => a.Stacks, (a) => a.NextToken);
  return h("div", {},
    h("div", { class: "head" }, h("h1", {}, "Stacks")),
    h("div", { class: "card" }, searchable([
      { title: "Name", value: (row) => h("a", { href: `#/stacks/${row.StackName}` }, row.StackName) },
      { title: "State", value: (row) => mark(row.StackStatus), narrow: true },
      { title: "Description", value: (row) => h("span", { class: "cut" }, row.Description || "–") },
      { title: "Changed", value: (row) => when(row.LastUpdatedTime || row.CreationTime), narrow: true },
    ], found, { text: (row) => `${row.StackName} ${row.StackStatus}`, empty: "No stacks yet. Deploy one with cumulet deploy, SAM, CDK or Terraform.", label: "Search stacks" })));
}

async function one(name) {
  const [about] = asList((await call("cloudformation", "DescribeStacks", { StackName: name })).Stacks);
  return h("div", {},
    h("div", { class: "head" },
      h("div", { class: "crumbs" }, h("a", { href: "#/stacks" }, "Stacks")),
      h("h1", {}, name), mark(about.StackStatus),
      h("div", { class: "actions" }, button("Delete", () => remove(name), "danger"))),
    about.StackStatusReason && notice(about.StackStatusReason, /FAILED|ROLLBACK/.test(about.StackStatus) ? "bad" : ""),
    tabs({
      Outputs: () => outputs(about),
      Resources: () => resources(name),
      Graph: () => picture(name),
      Events: () => events(name),
      Template: async () => card("Template", h("pre", { class: "box", tabindex: "0" }, (await call("cloudformation", "GetTemplate", { StackName: name, TemplateStage: "Original" })).TemplateBody)),
    }));
}

// AWS's address of an API is shown as it is, and leads to where this cloud answers it.
function link(text) {
  const found = /^https:\/\/([a-z0-9]+\.execute-api)\.[a-z0-9-]+\.amazonaws\.com(\/.*)?$/.exec(text);
  const own = location.host.replace(/^console\./, "");
  const href = found ? `${location.protocol}//${found[1]}.${own}${found[2] ?? "/"}` : text;
  return h("a", { href, target: "_blank", rel: "noopener", title: href }, text);
}

function outputs(about) {
  return h("div", {},
    card("Outputs", table([
      { title: "Key", value: (row) => row.OutputKey },
      { title: "Value", value: (row) => (/^https?:/.test(row.OutputValue) ? link(row.OutputValue) : h("code", {}, row.OutputValue)) },
      { title: "Description", value: (row) => row.Description || "–" },
    ], asList(about.Outputs), "No outputs.")),
    card("Parameters", facts(asList(about.Parameters).map((one) => [one.ParameterKey, one.ResolvedValue || one.ParameterValue]))),
    card("The stack", facts([
      ["ARN", h("code", {}, about.StackId)], ["Made", when(about.CreationTime)],
      ["Tags", asList(about.Tags).map((tag) => `${tag.Key}=${tag.Value}`).join(", ") || "none"],
    ])));
}

async function resources(name) {
  const found = await everything((NextToken) => call("cloudformation", "ListStackResources", { StackName: name, NextToken }), (a) => a.StackResourceSummaries, (a) => a.NextToken);
  return card("Resources", searchable([
    { title: "Logical id", value: (row) => row.LogicalResourceId },
    { title: "Physical id", value: (row) => (pageOf(row) ? h("a", { href: pageOf(row) }, row.PhysicalResourceId) : h("code", {}, row.PhysicalResourceId || "–")) },
    { title: "Type", value: (row) => row.ResourceType },
    { title: "State", value: (row) => mark(row.ResourceStatus), narrow: true },
  ], found, { text: (row) => `${row.LogicalResourceId} ${row.ResourceType} ${row.PhysicalResourceId}`, label: "Search resources" }));
}

async function events(name) {
  const found = await everything((NextToken) => call("cloudformation", "DescribeStackEvents", { StackName: name, NextToken }), (a) => a.StackEvents, (a) => a.NextToken, 10);
  return card("Events", table([
    { title: "When", value: (row) => when(row.Timestamp), narrow: true },
    { title: "Resource", value: (row) => row.LogicalResourceId },
    { title: "State", value: (row) => mark(row.ResourceStatus), narrow: true },
    { title: "Why", value: (row) => row.ResourceStatusReason || "" },
  ], found));
}

async function picture(name) {
  const text = (await call("cloudformation", "GetTemplate", { StackName: name, TemplateStage: "Processed" })).TemplateBody;
  let template;
  try {
    template = JSON.parse(text);
  } catch {
    return notice("The picture is drawn from templates in JSON; this one is YAML.");
  }
  return card("What depends on what", templateGraph(template));
}

async function remove(name) {
  if (await confirmDeletion("stack", name, () => call("cloudformation", "DeleteStack", { StackName: name }))) location.hash = "#/stacks";
}
