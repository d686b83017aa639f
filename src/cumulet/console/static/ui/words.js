// Values as people read them.

export function size(bytes) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let value = Number(bytes ?? 0);
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

export function count(value) {
  return new Intl.NumberFormat("en").format(value ?? 0);
}

// `1 call`, `2 calls`.
export function several(number, word) {
  return `${count(number)} ${word}${number === 1 ? "" : "s"}`;
}

// US dollars: two decimals, or as many as a small amount needs.
export function dollars(value) {
  if (value === undefined || value === null) return "no price";
  if (value >= 0.01 || value === 0) return `$${new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(value)}`;
  return `$${new Intl.NumberFormat("en", { maximumSignificantDigits: 2, maximumFractionDigits: 20 }).format(value)}`;
}

export function quantity(value, unit) {
  const text = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 }).format(value);
  return unit && unit !== "N/A" ? `${text} ${unit}` : text;
}

// Times come in seconds, in milliseconds, or as text; all are shown in the browser's own zone.
export function when(value) {
  if (value === undefined || value === null || value === "") return "–";
  const date = dateOf(value);
  const pad = (number) => String(number).padStart(2, "0");
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${day} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

export function dateOf(value) {
  if (typeof value === "number") return new Date(value < 1e11 ? value * 1000 : value);
  return new Date(/[zZ]$|[+-]\d{2}:?\d{2}$/.test(value) ? value.replace(/([+-]\d{2})(\d{2})$/, "$1:$2") : `${value}Z`);
}

export function ago(value) {
  const seconds = Math.max(0, (Date.now() - dateOf(value).getTime()) / 1000);
  if (seconds < 60) return `${Math.round(seconds)} s ago`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86400)} days ago`;
}

export function millis(value) {
  if (value === undefined || value === null) return "–";
  if (value < 10) return `${value.toFixed(2)} ms`;
  if (value < 1000) return `${Math.round(value)} ms`;
  return `${(value / 1000).toFixed(2)} s`;
}

export function pretty(text) {
  try {
    return JSON.stringify(typeof text === "string" ? JSON.parse(text) : text, null, 2);
  } catch {
    return String(text);
  }
}

export function nameOf(arn) {
  return String(arn ?? "").split(/[:/]/).pop();
}
