// Copies what is typed: a block's text, of a transcript the commands alone.
function typed(block) {
  const text = block.querySelector("pre").textContent;
  if (!block.matches(".highlight-console")) return text;
  const lines = [];
  let inside = false;
  for (const line of text.split("\n")) {
    if (line.startsWith("$ ")) lines.push(line.slice(2));
    else if (inside && line.startsWith(">")) lines.push(line.slice(1).replace(/^ /, ""));
    else { inside = false; continue; }
    inside = true;
  }
  return lines.join("\n") + "\n";
}

function addButton(block) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(typed(block));
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  block.append(button);
}

document.addEventListener("DOMContentLoaded", () => {
  if (navigator.clipboard) document.querySelectorAll("div[class*='highlight-']").forEach(addButton);
  document.querySelectorAll("div.highlight pre, .table-wrapper").forEach((one) => {
    if (one.scrollWidth > one.clientWidth) one.tabIndex = 0;
  });
  if (document.querySelector(".cards")) document.body.classList.add("front");
});

// From a file, a browser lets no page read another: the search then shows titles without excerpts.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
