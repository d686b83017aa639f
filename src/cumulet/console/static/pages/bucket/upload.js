// Uploads: small files at once, large ones in parts, of which some travel side by side.

import { raw, s3 } from "../../aws/call.js";

const PART_BYTES = 16 * 1024 * 1024;
const PARTS_MAX = 10_000;
const SIDE_BY_SIDE = 3;
const TRIES = 3;

export async function put(bucket, key, file, tell) {
  const path = `/${bucket}/${key}`;
  const headers = file.type ? { "content-type": file.type } : {};
  if (file.size <= PART_BYTES) {
    await s3("PUT", path, { headers, body: file });
    tell(1);
    return;
  }
  const begun = await s3("POST", path, { query: { uploads: "" }, headers });
  const uploadId = begun.UploadId;
  try {
    const tags = await parts(path, uploadId, file, tell);
    const body = `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${tags
      .map((tag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${tag}</ETag></Part>`).join("")}</CompleteMultipartUpload>`;
    await s3("POST", path, { query: { uploadId }, body });
  } catch (cause) {
    await s3("DELETE", path, { query: { uploadId } }).catch(() => {});
    throw cause;
  }
}

async function parts(path, uploadId, file, tell) {
  const length = Math.max(PART_BYTES, Math.ceil(file.size / PARTS_MAX));
  const total = Math.ceil(file.size / length);
  const tags = new Array(total);
  let next = 0;
  let sent = 0;
  async function carry() {
    while (next < total) {
      const at = next++;
      const body = file.slice(at * length, (at + 1) * length);
      tags[at] = await again(async () => {
        const answer = await raw("s3", "PUT", path, { query: { partNumber: at + 1, uploadId }, body });
        return answer.headers.get("etag");
      });
      sent += body.size;
      tell(sent / file.size);
    }
  }
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, carry));
  return tags;
}

async function again(work) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (cause) {
      if (attempt === TRIES || (cause.status >= 400 && cause.status < 500)) throw cause;
    }
  }
}
