// The part of Markdown that text widgets use: headings, lists, code, emphasis, links. All else stays as it is.

import { h } from "../../../ui/dom.js";

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*]+)\*|\[([^\]]+)\]\(((?:https?:\/\/|#)[^)\s]+)\)/g;

function inline(text) {
  const found = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    const [whole, code, strong, emphasis, label, href] = match;
    found.push(text.slice(at, match.index));
    if (code) found.push(h("code", {}, code));
    else if (strong) found.push(h("b", {}, strong));
    else if (emphasis) found.push(h("em", {}, emphasis));
    else found.push(h("a", { href, ...(href.startsWith("#") ? {} : { target: "_blank", rel: "noopener noreferrer" }) }, label));
    at = match.index + whole.length;
  }
  return [...found, text.slice(at)];
}

export function markdown(text) {
  const blocks = text.split(/\n{2,}|\n(?=#{1,6} )|(?<=^#{1,6} .*)\n/m);
  return h("div", { class: "markdown" }, blocks.filter((one) => one.trim()).map((block) => {
    const heading = /^(#{1,6}) (.*)/.exec(block.trim());
    if (heading) return h(`h${Math.min(6, heading[1].length + 1)}`, {}, inline(heading[2]));
    const lines = block.trim().split("\n");
    if (lines.every((line) => /^\s*[-*] /.test(line))) return h("ul", {}, lines.map((line) => h("li", {}, inline(line.replace(/^\s*[-*] /, "")))));
    if (lines.every((line) => /^\s*\d+\. /.test(line))) return h("ol", {}, lines.map((line) => h("li", {}, inline(line.replace(/^\s*\d+\. /, "")))));
    return h("p", {}, lines.flatMap((line, index) => [index > 0 && h("br"), inline(line)]));
  }));
}
