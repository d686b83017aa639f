// Tables: browse, query, and edit items.

import { call, everything } from "../../aws/call.js";
import { h, replace } from "../../ui/dom.js";
import { badge, button, card, facts, searchable, table, tabs } from "../../ui/parts.js";
import { confirmDeletion } from "../../ui/dialog.js";
import { count, size, when } from "../../ui/words.js";
import items from "./items.js";

export default async function tables(name) {
  if (name) return one(name);
  const names = await everything((ExclusiveStartTableName) => call("dynamodb", "ListTables", { ExclusiveStartTableName }), (a) => a.TableNames, (a) => a.LastEvaluatedTableName);
  const found = await Promise.all(names.slice(0, 200).map((TableName) => call("dynamodb", "DescribeTable", { TableName }).then((answer) => answer.Table)));
  return h("div", {},
    h("div", { class: "head" }, h("h1", {}, "Tables")),
    h("div", { class: "card" }, searchable([
      { title: "Name", value: (row) => h("a", { href: `#/tables/${row.TableName}` }, row.TableName) },
      { title: "Keys", value: (row) => keyWords(row.KeySchema) },
      { title: "State", value: (row) => badge(row.TableStatus, row.TableStatus === "ACTIVE" ? "good" : "warn"), narrow: true },
      { title: "Indexes", value: (row) => (row.GlobalSecondaryIndexes?.length ?? 0) + (row.LocalSecondaryIndexes?.length ?? 0), number: true },
      { title: "Items", value: (row) => count(row.ItemCount), number: true },
      { title: "Size", value: (row) => size(row.TableSizeBytes), number: true },
    ], found, { text: (row) => row.TableName, empty: "No tables yet.", label: "Search tables" })));
}

export function keyWords(schema) {
  return schema.map((key) => h("span", {}, h("code", {}, key.AttributeName), key.KeyType === "HASH" ? " (partition) " : " (sort) "));
}

async function one(name) {
  const about = (await call("dynamodb", "DescribeTable", { TableName: name })).Table;
  return h("div", {},
    h("div", { class: "head" },
      h("div", { class: "crumbs" }, h("a", { href: "#/tables" }, "Tables")),
      h("h1", {}, name), badge(about.TableStatus, about.TableStatus === "ACTIVE" ? "good" : "warn"),
      h("div", { class: "actions" }, button("Delete", () => remove(name), "danger"))),
    tabs({
      Items: () => items(about),
      Indexes: () => indexes(about),
      "Settings and stream": () => settings(about),
    }));
}

function indexes(about) {
  const all = [
    ...(about.GlobalSecondaryIndexes ?? []).map((index) => ({ ...index, kind: "global" })),
    ...(about.LocalSecondaryIndexes ?? []).map((index) => ({ ...index, kind: "local" })),
  ];
  return card("Indexes", table([
    { title: "Name", value: (row) => row.IndexName },
    { title: "Kind", value: (row) => row.kind, narrow: true },
    { title: "Keys", value: (row) => keyWords(row.KeySchema) },
    { title: "Holds", value: (row) => row.Projection.ProjectionType + (row.Projection.NonKeyAttributes ? `: ${row.Projection.NonKeyAttributes.join(", ")}` : "") },
    { title: "State", value: (row) => row.IndexStatus ?? "ACTIVE", narrow: true },
    { title: "Items", value: (row) => count(row.ItemCount), number: true },
  ], all, "No secondary indexes."));
}

async function settings(about) {
  const [ttl, backups] = await Promise.all([
    call("dynamodb", "DescribeTimeToLive", { TableName: about.TableName }),
    call("dynamodb", "DescribeContinuousBackups", { TableName: about.TableName }),
  ]);
  const live = ttl.TimeToLiveDescription ?? {};
  const point = backups.ContinuousBackupsDescription?.PointInTimeRecoveryDescription ?? {};
  return card("Settings", facts([
    ["ARN", h("code", {}, about.TableArn)],
    ["Keys", keyWords(about.KeySchema)],
    ["Made", when(about.CreationDateTime)],
    ["Capacity", about.BillingModeSummary?.BillingMode === "PAY_PER_REQUEST" ? "on demand" : `${about.ProvisionedThroughput.ReadCapacityUnits} reads, ${about.ProvisionedThroughput.WriteCapacityUnits} writes a second`],
    ["Time to live", live.AttributeName ? `${live.TimeToLiveStatus}, by ${live.AttributeName}` : "off"],
    ["Recovery to any point in time", point.PointInTimeRecoveryStatus ?? "DISABLED"],
    ["Stream", about.StreamSpecification?.StreamEnabled ? `${about.StreamSpecification.StreamViewType}, ${about.LatestStreamArn}` : "off"],
    ["Protected from deletion", about.DeletionProtectionEnabled ? "yes" : "no"],
  ]));
}

async function remove(name) {
  const done = await confirmDeletion("table", name, () => call("dynamodb", "DeleteTable", { TableName: name }));
  if (done) location.hash = "#/tables";
}
