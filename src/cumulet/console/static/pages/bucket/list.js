// Buckets: browse, upload, download, and links to share.

import { asList, s3 } from "../../aws/call.js";
import { signedLink } from "../../aws/sign.js";
import { region, session } from "../../aws/session.js";
import { refresh } from "../../main.js";
import { h, replace } from "../../ui/dom.js";
import { ask, confirmDeletion } from "../../ui/dialog.js";
import { button, doing, field, notice, searchable, select, table } from "../../ui/parts.js";
import { size, when } from "../../ui/words.js";
import { put } from "./upload.js";

export default async function buckets(name, ...prefix) {
  if (name) return one(name, prefix.length ? prefix.join("/") : "");
  const found = asList((await s3("GET", "/")).Buckets?.Bucket);
  return h("div", {},
    h("div", { class: "head" }, h("h1", {}, "Buckets"), h("div", { class: "actions" }, button("Create bucket", create, "main-one"))),
    h("div", { class: "card" }, searchable([
      { title: "Name", value: (row) => h("a", { href: `#/buckets/${row.Name}` }, row.Name) },
      { title: "Made", value: (row) => when(row.CreationDate), narrow: true },
    ], found, { text: (row) => row.Name, empty: "No buckets yet.", label: "Search buckets" })));
}

async function create() {
  const done = await ask("Create bucket", field("Name", h("input", { name: "name", required: true, pattern: "[a-z0-9][a-z0-9.\\-]{1,61}[a-z0-9]", autocomplete: "off" }), "3 to 63 lower-case letters, digits, dots and hyphens."), {
    action: "Create bucket",
    work: async ({ name }) => {
      const place = region() === "us-east-1" ? undefined
        : `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>${region()}</LocationConstraint></CreateBucketConfiguration>`;
      await s3("PUT", `/${name}`, { body: place });
    },
  });
  if (done) refresh();
}

async function one(bucket, prefix) {
  const place = h("div");
  const progress = h("div", { "aria-live": "polite" });
  const picker = h("input", { type: "file", multiple: true, class: "hidden", "aria-label": "Files to upload", onchange: () => upload([...picker.files]) });
  let tokens = [undefined];

  async function look() {
    const answer = await s3("GET", `/${bucket}`, { query: { "list-type": 2, prefix, delimiter: "/", "max-keys": 200, "continuation-token": tokens.at(-1) } });
    const rows = [
      ...asList(answer.CommonPrefixes).map((folder) => ({ folder: folder.Prefix })),
      ...asList(answer.Contents).filter((object) => object.Key !== prefix),
    ];
    replace(place, table([
      { title: "Name", value: (row) => (row.folder !== undefined ? h("a", { href: address(row.folder) }, `${row.folder.slice(prefix.length)}`) : h("span", {}, row.Key.slice(prefix.length))) },
      { title: "Size", value: (row) => (row.folder !== undefined ? "" : size(row.Size)), number: true },
      { title: "Changed", value: (row) => (row.folder !== undefined ? "" : when(row.LastModified)), narrow: true },
      {
        title: "",
        value: (row) => row.folder === undefined && [
          button("Download", (event) => doing(event, () => download(row.Key)), "small", { "aria-label": `Download ${row.Key}` }), " ",
          button("Share", () => share(row.Key), "small", { "aria-label": `Share ${row.Key}` }), " ",
          button("Delete", () => remove(row.Key), "small danger", { "aria-label": `Delete ${row.Key}` }),
        ],
        narrow: true,
      },
    ], rows, "Nothing here. Upload files, or drop them on this page."),
    h("div", { class: "row" },
      tokens.length > 1 && button("Back", () => { tokens.pop(); look(); }, "small"),
      answer.NextContinuationToken && button("Next page", () => { tokens.push(answer.NextContinuationToken); look(); }, "small")));
  }
  const address = (key) => `#/buckets/${bucket}/${key.split("/").map(encodeURIComponent).join("/")}`;
  async function link(key, seconds, query = {}) {
    return signedLink(session(), { origin: location.origin, path: `/${bucket}/${key}`, query, service: "s3", region: region(), seconds });
  }
  async function download(key) {
    const name = key.split("/").pop().replace(/["\\]/g, "_");
    const href = await link(key, 300, { "response-content-disposition": `attachment; filename="${encodeURIComponent(name)}"` });
    h("a", { href, download: name }).click();
  }
  async function share(key) {
    const held = Math.max(1, Math.floor(session().expiresAt - Date.now() / 1000));
    const shown = h("textarea", { rows: "5", readonly: true, "aria-label": "The link" });
    const span = select([["300", "5 minutes"], ["3600", "1 hour"], ["43200", "until you are signed out (12 hours at most)"]], "3600", { onchange: draw });
    async function draw() {
      shown.value = await link(key, Math.min(Number(span.value), held));
    }
    await draw();
    await ask(`Share ${key}`, h("div", {}, field("For", span), field("Whoever has this link may read the object", shown)), {
      action: "Copy",
      work: () => navigator.clipboard.writeText(shown.value),
    });
  }
  async function remove(key) {
    if (await confirmDeletion("object", key, () => s3("DELETE", `/${bucket}/${key}`))) look();
  }
  async function upload(files) {
    for (const file of files) {
      const bar = h("progress", { max: "100", value: 0, "aria-label": `Upload of ${file.name}` });
      const line = h("div", { class: "row" }, h("span", {}, `${file.name}, ${size(file.size)}`), bar);
      progress.append(line);
      try {
        await put(bucket, prefix + file.name, file, (part) => { bar.value = part * 100; });
        line.remove();
      } catch (cause) {
        line.replaceWith(notice(`${file.name} was not uploaded: ${cause.message}`, "bad"));
      }
      await look();
    }
    picker.value = "";
  }
  await look();
  const crumbs = prefix.split("/").filter(Boolean);
  return h("div", {
    ondragover: (event) => event.preventDefault(),
    ondrop: (event) => { event.preventDefault(); upload([...event.dataTransfer.files]); },
  },
  h("div", { class: "head" },
    h("div", { class: "crumbs" }, h("a", { href: "#/buckets" }, "Buckets"), " / ", h("a", { href: `#/buckets/${bucket}` }, bucket),
      crumbs.map((part, at) => [" / ", h("a", { href: address(`${crumbs.slice(0, at + 1).join("/")}/`) }, part)])),
    h("h1", {}, bucket),
    h("div", { class: "actions" }, picker, button("Upload", () => picker.click(), "main-one"),
      !prefix && button("Delete bucket", async () => {
        if (await confirmDeletion("bucket", bucket, () => s3("DELETE", `/${bucket}`))) location.hash = "#/buckets";
      }, "danger"))),
  progress, h("div", { class: "card" }, place));
}
