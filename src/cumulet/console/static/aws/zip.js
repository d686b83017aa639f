// Packages of functions: reading and making ZIP files.
// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT

const TABLE = Uint32Array.from({ length: 256 }, (_, at) => {
  let value = at;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

function crc32(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = TABLE[(sum ^ byte) & 255] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

async function through(stream, bytes) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

// Entries in the archive's order: { name, mode, bytes }. Folders are left out.
export async function unzip(buffer) {
  const view = new DataView(buffer);
  let end = buffer.byteLength - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end -= 1;
  if (end < 0) throw new Error("The package is not a ZIP file.");
  const found = [];
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    const [method, packed] = [view.getUint16(at + 10, true), view.getUint32(at + 20, true)];
    const [nameLength, extra, comment] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true), view.getUint16(at + 32, true)];
    const name = new TextDecoder().decode(new Uint8Array(buffer, at + 46, nameLength));
    const mode = (view.getUint32(at + 38, true) >>> 16) & 0o777;
    const header = view.getUint32(at + 42, true);
    const start = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
    const bytes = new Uint8Array(buffer, start, packed);
    if (!name.endsWith("/")) {
      found.push({ name, mode: mode || 0o644, bytes: method === 8 ? await through(new DecompressionStream("deflate-raw"), bytes) : bytes.slice() });
    }
    at += 46 + nameLength + extra + comment;
  }
  return found;
}

export async function zip(entries) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { name, mode, bytes } of entries) {
    const label = new TextEncoder().encode(name);
    const packed = await through(new CompressionStream("deflate-raw"), bytes);
    const sum = crc32(bytes);
    const shared = (view, at) => {
      view.setUint16(at, 20, true);
      view.setUint16(at + 2, 0x800, true);
      view.setUint16(at + 4, 8, true);
      view.setUint32(at + 6, 0x00210000, true);
      view.setUint32(at + 10, sum, true);
      view.setUint32(at + 14, packed.length, true);
      view.setUint32(at + 18, bytes.length, true);
      view.setUint16(at + 22, label.length, true);
    };
    const local = new DataView(new ArrayBuffer(30));
    local.setUint32(0, 0x04034b50, true);
    shared(local, 4);
    const central = new DataView(new ArrayBuffer(46));
    central.setUint32(0, 0x02014b50, true);
    central.setUint16(4, 0x314, true);
    shared(central, 6);
    central.setUint32(38, ((mode | 0o100000) << 16) >>> 0, true);
    central.setUint32(42, offset, true);
    parts.push(local.buffer, label, packed);
    directory.push(central.buffer, label);
    offset += 30 + label.length + packed.length;
  }
  const size = directory.reduce((sum, part) => sum + part.byteLength, 0);
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, entries.length, true);
  end.setUint16(10, entries.length, true);
  end.setUint32(12, size, true);
  end.setUint32(16, offset, true);
  return new Uint8Array(await new Blob([...parts, ...directory, end.buffer]).arrayBuffer());
}

export function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
