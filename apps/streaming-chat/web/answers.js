// One answer as it comes: nothing twice, nothing missed, nothing out of order. No page, no network.

export class Answer {
  constructor(id) {
    this.id = id;
    this.attempt = 0;
    this.next = 0;
    this.text = "";
    this.total = null;
    this.state = "waiting"; // waiting, streaming, done, failed
    this.message = "";
  }

  get isOver() {
    return this.state === "done" || this.state === "failed";
  }

  // Take a message in; false when pieces before it are missing.
  hear(message) {
    if (message.type === "failed" || message.type === "unknown") {
      if (this.state !== "done") {
        this.state = "failed";
        this.message = message.message ?? "it is not known any more";
      }
      return true;
    }
    if (message.type === "again") {
      return true;
    }
    if (message.attempt < this.attempt) return true;
    if (message.attempt > this.attempt) {
      // Another attempt began anew: what the former said is dropped.
      Object.assign(this, { attempt: message.attempt, next: 0, text: "", total: null, state: "waiting" });
    }
    if (message.type === "end") {
      this.total = message.total;
    } else if (message.first > this.next) {
      return false;
    } else {
      const fresh = message.texts.slice(this.next - message.first);
      this.text += fresh.join("");
      this.next += fresh.length;
      if (fresh.length > 0) this.state = "streaming";
    }
    if (this.total !== null && this.next >= this.total) this.state = "done";
    return this.total === null || this.state === "done";
  }

  resumption() {
    return { action: "resume", id: this.id, attempt: this.attempt, next: this.next };
  }
}
