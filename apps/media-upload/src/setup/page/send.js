// One PUT to storage, with progress, which fetch() does not tell.

const STALL_MS = 60_000;

/** Why a PUT failed: the status, or 0 when there was no answer. */
export class NotSent extends Error {
  constructor(status) {
    super(status ? `storage answered ${status}` : "the connection was lost");
    this.status = status;
  }
}

/** Send `body` to `url`; resolves to the ETag. `onProgress` hears how many bytes are out. */
export function put(url, body, headers, signal, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let stall;
    const settle = (settled) => {
      clearTimeout(stall);
      signal.removeEventListener("abort", stop);
      settled();
    };
    const fail = (status) => settle(() => reject(new NotSent(status)));
    const watch = () => {
      clearTimeout(stall);
      stall = setTimeout(() => request.abort(), STALL_MS);
    };
    const stop = () => {
      settle(() => reject(signal.reason));
      request.abort();
    };
    request.open("PUT", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => {
      watch();
      onProgress(event.loaded);
    };
    request.onload = () => {
      if (request.status !== 200) fail(request.status);
      else settle(() => resolve(request.getResponseHeader("ETag")));
    };
    request.onerror = () => fail(0);
    request.onabort = () => fail(0);
    signal.addEventListener("abort", stop);
    watch();
    if (signal.aborted) stop();
    else request.send(body);
  });
}
