// Runs beside the page's own thread: passes on what the microphone gives, a tenth of a second each.
class Recorder extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Float32Array(Math.round(sampleRate / 10));
    this.filled = 0;
    this.port.onmessage = () => {
      this.port.postMessage({ samples: this.block.slice(0, this.filled), last: true });
      this.done = true;
    };
  }

  process([input]) {
    const samples = input[0];
    for (let at = 0; samples && at < samples.length; at++) {
      this.block[this.filled++] = samples[at];
      if (this.filled === this.block.length) {
        this.port.postMessage({ samples: this.block.slice() });
        this.filled = 0;
      }
    }
    return !this.done;
  }
}

registerProcessor("recorder", Recorder);
