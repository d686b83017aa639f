// What is wrong with the page as it is now: contrast, labels, sizes, overflow. A list of sentences.
() => {
  const wrong = [];
  const parse = (text) => {
    const parts = text.match(/[\d.]+/g).map(Number);
    return { rgb: parts.slice(0, 3), alpha: parts[3] ?? 1 };
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((one) => {
      const part = one / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const { rgb, alpha } = parse(getComputedStyle(one).backgroundColor);
      if (alpha === 1) return rgb;
    }
    return [255, 255, 255];
  };
  const contrast = (one, other) => {
    const [high, low] = [light(one), light(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const hasText = (element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  for (const element of document.querySelectorAll("main, main *")) {
    if (element.closest("svg") || element.closest("[aria-hidden]")) continue;
    if (!element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    if (element.matches("input:not([type=hidden])") || hasText(element)) {
      const found = contrast(parse(style.color).rgb, behind(element));
      if (found < 4.5) wrong.push(`${element.outerHTML.slice(0, 80)}: contrast ${found.toFixed(2)}`);
    }
    if (element.matches("input:not([type=hidden])")) {
      if (element.labels.length !== 1) wrong.push(`${element.id} has no label`);
      const edge = contrast(parse(style.borderTopColor).rgb, behind(element.parentElement));
      if (element.type !== "radio" && edge < 3) wrong.push(`${element.id}: edge ${edge.toFixed(2)}`);
      for (const id of (element.getAttribute("aria-describedby") ?? "").split(" "))
        if (id && !document.getElementById(id)) wrong.push(`${id} is nowhere`);
    }
    if (element.matches("button, input:not([type=hidden], [type=radio])")) {
      const { height } = element.getBoundingClientRect();
      if (height < 44) wrong.push(`${element.outerHTML.slice(0, 60)} is ${height} high`);
    }
  }
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) wrong.push(`too wide: ${root.scrollWidth}`);
  if (document.querySelectorAll("h1").length !== 1) wrong.push("not one heading");
  if (!root.lang || !document.title) wrong.push("no language, or no title");
  return wrong;
};
