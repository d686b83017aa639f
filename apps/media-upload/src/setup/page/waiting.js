// Waiting: for a while, for the network, for a turn; each ends at once when it is stopped.

const PAUSE_MS = 500;
const PAUSE_MS_MAX = 10_000;

/** How long to wait before the next try: longer each time, and never all at once. */
export function pauseBefore(attempt) {
  const most = Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** attempt);
  return most / 2 + (Math.random() * most) / 2;
}

/** Resolve after a time, or as soon as the browser says that it is connected again. */
export function rest(ms, signal) {
  return new Promise((resolve, reject) => {
    const end = (settle) => {
      clearTimeout(timer);
      window.removeEventListener("online", wake);
      signal?.removeEventListener("abort", stop);
      settle();
    };
    const wake = () => end(resolve);
    const stop = () => end(() => reject(signal.reason));
    const timer = setTimeout(wake, ms);
    window.addEventListener("online", wake);
    signal?.addEventListener("abort", stop);
    if (signal?.aborted) stop();
  });
}

/** At most so many at once; the others wait in line. */
export class Turns {
  #free;
  #line = [];

  constructor(count) {
    this.#free = count;
  }

  async take(work) {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise((resolve) => this.#line.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#line.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}
