// Queues: what waits in them, sending, and bringing dead letters back.

import { call, everything } from "../../aws/call.js";
import { refresh } from "../../main.js";
import { h, replace } from "../../ui/dom.js";
import { ask, confirmDeletion } from "../../ui/dialog.js";
import { badge, button, card, cardWith, doing, facts, field, searchable, table } from "../../ui/parts.js";
import { count, nameOf, pretty, when } from "../../ui/words.js";

const PEEKED = 10;
const PEEK_SECONDS = 15;

async function attributes(QueueUrl) {
  const found = (await call("sqs", "GetQueueAttributes", { QueueUrl, AttributeNames: ["All"] })).Attributes;
  return { ...found, url: QueueUrl, name: nameOf(found.QueueArn) };
}

export default async function queues(name) {
  if (name) return one(name);
  const urls = await everything((NextToken) => call("sqs", "ListQueues", { MaxResults: 1000, NextToken }), (a) => a.QueueUrls, (a) => a.NextToken);
  const found = await Promise.all(urls.slice(0, 300).map(attributes));
  return h("div", {},
    h("div", { class: "head" }, h("h1", {}, "Queues")),
    h("div", { class: "card" }, searchable([
      { title: "Name", value: (row) => h("a", { href: `#/queues/${encodeURIComponent(row.name)}` }, row.name) },
      { title: "Kind", value: (row) => badge(row.FifoQueue === "true" ? "FIFO" : "standard"), narrow: true },
      { title: "Waiting", value: (row) => count(row.ApproximateNumberOfMessages), number: true },
      { title: "In flight", value: (row) => count(row.ApproximateNumberOfMessagesNotVisible), number: true },
      { title: "Delayed", value: (row) => count(row.ApproximateNumberOfMessagesDelayed), number: true },
      { title: "Dead letters to", value: (row) => (row.RedrivePolicy ? nameOf(JSON.parse(row.RedrivePolicy).deadLetterTargetArn) : "–") },
    ], found, { text: (row) => row.name, empty: "No queues yet.", label: "Search queues" })));
}

async function one(name) {
  const { QueueUrl } = await call("sqs", "GetQueueUrl", { QueueName: name });
  const about = await attributes(QueueUrl);
  const [sources, moves] = await Promise.all([
    call("sqs", "ListDeadLetterSourceQueues", { QueueUrl }).then((found) => found.queueUrls ?? []),
    call("sqs", "ListMessageMoveTasks", { SourceArn: about.QueueArn }).then((found) => found.Results ?? [], () => []),
  ]);
  const seen = h("div", { "aria-live": "polite" });
  const fifo = about.FifoQueue === "true";
  return h("div", {},
    h("div", { class: "head" },
      h("div", { class: "crumbs" }, h("a", { href: "#/queues" }, "Queues")),
      h("h1", {}, name), badge(fifo ? "FIFO" : "standard"),
      h("div", { class: "actions" },
        button("Send message", () => send(QueueUrl, fifo), "main-one"),
        sources.length > 0 && button("Redrive", (event) => redrive(event, about)),
        button("Purge", () => purge(QueueUrl, name)),
        button("Delete", () => remove(QueueUrl, name), "danger"))),
    card("Now", facts([
      ["Waiting", count(about.ApproximateNumberOfMessages)],
      ["In flight", count(about.ApproximateNumberOfMessagesNotVisible)],
      ["Delayed", count(about.ApproximateNumberOfMessagesDelayed)],
      ["Visibility timeout", `${about.VisibilityTimeout} s`],
      ["Kept for", `${about.MessageRetentionPeriod / 3600} h`],
      ["Dead letters", about.RedrivePolicy ? h("code", {}, about.RedrivePolicy) : "none"],
      sources.length > 0 && ["Dead letters of", sources.map((url) => [h("a", { href: `#/queues/${encodeURIComponent(nameOf(url))}` }, nameOf(url)), " "])],
      ["ARN", h("code", {}, about.QueueArn)],
    ])),
    moves.length > 0 && card("Moves", table([
      { title: "State", value: (row) => badge(row.Status), narrow: true },
      { title: "To", value: (row) => nameOf(row.DestinationArn ?? "") || "where they came from" },
      { title: "Moved", value: (row) => count(row.ApproximateNumberOfMessagesMoved), number: true },
      { title: "Begun", value: (row) => when(row.StartedTimestamp), narrow: true },
    ], moves)),
    cardWith("Messages", button("Peek", (event) => doing(event, () => peek(QueueUrl, seen)), "small"),
      h("p", { class: "soft" }, `Peeking receives up to ${PEEKED} messages and gives them back at once; each look counts as a receive, and may bring a message to the dead letters.`), seen));
}

// Received, and made visible again: others can have them at once.
async function peek(QueueUrl, place) {
  const answer = await call("sqs", "ReceiveMessage", {
    QueueUrl, MaxNumberOfMessages: PEEKED, VisibilityTimeout: PEEK_SECONDS, MessageSystemAttributeNames: ["All"], MessageAttributeNames: ["All"],
  });
  const found = answer.Messages ?? [];
  if (found.length) {
    await call("sqs", "ChangeMessageVisibilityBatch", {
      QueueUrl, Entries: found.map((one, at) => ({ Id: String(at), ReceiptHandle: one.ReceiptHandle, VisibilityTimeout: 0 })),
    });
  }
  replace(place, table([
    { title: "Sent", value: (row) => when(Number(row.Attributes.SentTimestamp)), narrow: true },
    { title: "Receives", value: (row) => row.Attributes.ApproximateReceiveCount, number: true },
    { title: "Body", value: (row) => h("pre", { class: "box" }, pretty(row.Body)) },
  ], found, "No message is waiting."));
}

async function send(QueueUrl, fifo) {
  const done = await ask("Send message", h("div", {},
    field("Body", h("textarea", { name: "body", rows: "7", required: true })),
    fifo && field("Group", h("input", { name: "group", required: true, value: "console" })),
    fifo && field("Deduplication id", h("input", { name: "unique" }), "Empty: by the content, where the queue allows it."),
    !fifo && field("Delay in seconds", h("input", { name: "delay", type: "number", min: "0", max: "900", placeholder: "the queue's own" }))), {
    action: "Send",
    work: (values) => call("sqs", "SendMessage", {
      QueueUrl, MessageBody: values.body, MessageGroupId: values.group, MessageDeduplicationId: values.unique || undefined,
      DelaySeconds: values.delay ? Number(values.delay) : undefined,
    }),
  });
  if (done) refresh();
}

async function redrive(event, about) {
  await doing(event, async () => {
    await call("sqs", "StartMessageMoveTask", { SourceArn: about.QueueArn });
    refresh();
  }, "The messages go back to where they came from.");
}

async function purge(QueueUrl, name) {
  if (await confirmDeletion("all messages of", name, () => call("sqs", "PurgeQueue", { QueueUrl }))) refresh();
}

async function remove(QueueUrl, name) {
  if (await confirmDeletion("queue", name, () => call("sqs", "DeleteQueue", { QueueUrl }))) location.hash = "#/queues";
}
