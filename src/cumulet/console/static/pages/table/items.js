// Items of a table or an index: a page at a time, queried by key or scanned, edited as DynamoDB JSON.

import { call } from "../../aws/call.js";
import { h, replace } from "../../ui/dom.js";
import { ask } from "../../ui/dialog.js";
import { editor } from "../../ui/editor.js";
import { button, doing, failure, field, select, table } from "../../ui/parts.js";
import { count } from "../../ui/words.js";

const PAGE = 50;
const COLUMNS_MAX = 8;

// A value as people read it; its type stays visible in the editor.
export function plain(value) {
  const [[type, inner]] = Object.entries(value);
  if (type === "S" || type === "N") return inner;
  if (type === "BOOL") return String(inner);
  if (type === "NULL") return "null";
  if (type === "B") return `(binary, ${inner.length} characters of base64)`;
  if (type === "L") return `[${inner.map(plain).join(", ")}]`;
  if (type === "M") return `{${Object.entries(inner).map(([name, one]) => `${name}: ${plain(one)}`).join(", ")}}`;
  return `{${inner.join(", ")}}`;
}

export default async function items(about) {
  const indexes = [...(about.GlobalSecondaryIndexes ?? []), ...(about.LocalSecondaryIndexes ?? [])];
  const types = Object.fromEntries(about.AttributeDefinitions.map((one) => [one.AttributeName, one.AttributeType]));
  const keysOf = (name) => (indexes.find((index) => index.IndexName === name) ?? about).KeySchema.map((key) => key.AttributeName);
  let index = "";
  let pages = [undefined];
  const place = h("div", { "aria-live": "polite" });
  const form = h("div", { class: "row" });
  const source = select([["", `Table ${about.TableName}`], ...indexes.map((one) => [one.IndexName, `Index ${one.IndexName}`])], "", {
    "aria-label": "Table or index", onchange: (event) => { index = event.target.value; fields(); look(); },
  });
  const partition = h("input", { spellcheck: "false", "data-search": true });
  const sort = h("input", { spellcheck: "false" });
  const relation = select([["=", "is"], ["begins_with", "begins with"], ["<=", "is at most"], [">=", "is at least"]], "=", { "aria-label": "How the sort key compares" });

  function fields() {
    const [first, second] = keysOf(index);
    replace(form,
      field("From", source),
      field(first, partition),
      second && field("Sort key", relation),
      second && field(second, sort),
      button("Search", () => { pages = [undefined]; look(); }, "main-one"));
  }
  function request(token) {
    const [first, second] = keysOf(index);
    const input = { TableName: about.TableName, IndexName: index || undefined, Limit: PAGE, ExclusiveStartKey: token };
    if (!partition.value) return ["Scan", input];
    const names = { "#p": first };
    const values = { ":p": { [types[first]]: partition.value } };
    let condition = "#p = :p";
    if (second && sort.value) {
      names["#s"] = second;
      values[":s"] = { [types[second]]: sort.value };
      condition += relation.value === "begins_with" ? " AND begins_with(#s, :s)" : ` AND #s ${relation.value} :s`;
    }
    return ["Query", { ...input, KeyConditionExpression: condition, ExpressionAttributeNames: names, ExpressionAttributeValues: values }];
  }
  async function look() {
    try {
      const answer = await call("dynamodb", ...request(pages.at(-1)));
      draw(answer);
    } catch (cause) {
      replace(place, failure(cause));
    }
  }
  function draw(answer) {
    const keys = keysOf("");
    const others = [...new Set(answer.Items.flatMap((item) => Object.keys(item)))].filter((name) => !keys.includes(name)).sort();
    const shown = [...keys, ...others].slice(0, COLUMNS_MAX);
    const next = answer.LastEvaluatedKey;
    replace(place,
      table([
        ...shown.map((name) => ({
          title: name,
          value: (item) => {
            const text = item[name] ? plain(item[name]) : "";
            if (name !== keys[0]) return h("span", { class: "cut", title: text }, text);
            return h("button", { type: "button", class: "button small", onclick: () => edit(item) }, text || "(empty)");
          },
        })),
      ], answer.Items, "No items here."),
      h("div", { class: "row" },
        h("span", { class: "soft" }, `${count(answer.Items.length)} items on this page${others.length + keys.length > COLUMNS_MAX ? `, ${COLUMNS_MAX} of ${others.length + keys.length} attributes` : ""}`),
        pages.length > 1 && button("Back", () => { pages.pop(); look(); }, "small"),
        next && button("Next page", () => { pages.push(next); look(); }, "small")));
  }
  async function edit(item) {
    const isNew = !item;
    const first = item ?? Object.fromEntries(keysOf("").map((name) => [name, { [types[name]]: "" }]));
    const text = editor(JSON.stringify(first, null, 2), { label: "Item as DynamoDB JSON", rows: 16 });
    const key = (whole) => Object.fromEntries(keysOf("").map((name) => [name, whole[name]]));
    const away = !isNew && button("Delete item", async (event) => {
      const done = await doing(event, () => call("dynamodb", "DeleteItem", { TableName: about.TableName, Key: key(item) }).then(() => true), "The item is deleted.");
      if (done) {
        event.target.closest("dialog")?.close();
        look();
      }
    }, "danger small");
    const done = await ask(isNew ? "New item" : "Item", h("div", {}, text, h("p", { class: "hint soft" }, "Each value with its type: S text, N number, BOOL, L list, M map, …"), away), {
      work: async () => {
        const whole = JSON.parse(text.area.value);
        const same = item && JSON.stringify(key(whole)) === JSON.stringify(key(item));
        const guard = same ? {} : { ConditionExpression: "attribute_not_exists(#p)", ExpressionAttributeNames: { "#p": keysOf("")[0] } };
        await call("dynamodb", "PutItem", { TableName: about.TableName, Item: whole, ...guard });
      },
    });
    if (done) look();
  }
  fields();
  look();
  return h("section", { class: "card" }, h("header", {}, h("h2", {}, "Items"), h("div", { class: "actions" }, button("New item", () => edit(), ""))), form, h("div", { class: "gap" }), place);
}
