// Sound: from the microphone or a file to a WAV file of one channel, 16 bits and the wanted rate.

export const SECONDS_MIN = 0.5;
export const SECONDS_MAX = 120;
export const BYTES_MAX = 4_500_000;
const HEAD_BYTES = 44;

/** A WAV file as it should be sent, and its samples to show. Throws an Error that says why not. */
export async function fromFile(bytes, rate) {
  const known = readHead(bytes);
  const isReady = known && known.rate === rate && known.channels === 1 && known.bits === 16;
  let decoded;
  try {
    // Decoded straight into the wanted rate. The bytes are given away, so a copy is.
    decoded = await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes.slice(0));
  } catch {
    throw new Error("This file holds no sound that the browser can read.");
  }
  const samples = await oneChannel(decoded, rate);
  // What is right already is sent as it is: scores are of that file and no other.
  return checked({ samples, rate, wav: isReady ? bytes : encode(samples, rate) });
}

/** The same from recorded samples. */
export async function fromSamples(samples, ownRate, rate) {
  const buffer = new AudioBuffer({ length: Math.max(1, samples.length), sampleRate: ownRate });
  buffer.copyToChannel(samples, 0);
  const changed = await oneChannel(buffer, rate);
  return checked({ samples: changed, rate, wav: encode(changed, rate) });
}

function checked(sound) {
  const seconds = sound.samples.length / sound.rate;
  if (seconds < SECONDS_MIN) throw new Error(`It is shorter than ${SECONDS_MIN} seconds.`);
  if (seconds > SECONDS_MAX) throw new Error(`It is longer than ${SECONDS_MAX} seconds.`);
  if (sound.wav.byteLength > BYTES_MAX)
    throw new Error("It is too long for this sample rate: choose a lower one, or a shorter recording.");
  return { ...sound, seconds };
}

async function oneChannel(buffer, rate) {
  if (buffer.numberOfChannels === 1 && buffer.sampleRate === rate) return buffer.getChannelData(0);
  const frames = Math.max(1, Math.round(buffer.duration * rate));
  const offline = new OfflineAudioContext(1, frames, rate);
  const source = offline.createBufferSource();
  source.buffer = buffer;
  source.connect(offline.destination);
  source.start();
  return (await offline.startRendering()).getChannelData(0);
}

/** A WAV file of 16-bit samples. */
export function encode(samples, rate) {
  const bytes = new ArrayBuffer(HEAD_BYTES + samples.length * 2);
  const view = new DataView(bytes);
  const text = (at, word) => [...word].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, bytes.byteLength - 8, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, samples.length * 2, true);
  samples.forEach((one, at) => {
    const clipped = Math.max(-1, Math.min(1, one));
    view.setInt16(HEAD_BYTES + at * 2, Math.round(clipped * 32767), true);
  });
  return bytes;
}

/** What the head of a plain WAV file says; null when it is none. */
function readHead(bytes) {
  if (bytes.byteLength < HEAD_BYTES) return null;
  const view = new DataView(bytes);
  const word = (at) => String.fromCharCode(...new Uint8Array(bytes, at, 4));
  if (word(0) !== "RIFF" || word(8) !== "WAVE" || word(12) !== "fmt ") return null;
  if (view.getUint16(20, true) !== 1) return null;
  return {
    channels: view.getUint16(22, true),
    rate: view.getUint32(24, true),
    bits: view.getUint16(34, true),
  };
}

/** The microphone, until `stop` is called; `level` hears how loud it is, and for how long. */
export async function record(level) {
  const stream = await navigator.mediaDevices.getUserMedia({
    // What is scored is the voice as it is, not as the browser would mend it.
    audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  });
  const context = new AudioContext();
  try {
    await context.audioWorklet.addModule("page/recorder.js");
    await context.resume();
  } catch (problem) {
    stream.getTracks().forEach((track) => track.stop());
    throw problem;
  }
  const node = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0 });
  const blocks = [];
  let ended;
  const all = new Promise((resolve) => (ended = resolve));
  node.port.onmessage = ({ data }) => {
    blocks.push(data.samples);
    const frames = blocks.reduce((sum, block) => sum + block.length, 0);
    level(data.samples.reduce((most, one) => Math.max(most, Math.abs(one)), 0), frames / context.sampleRate);
    if (data.last) ended();
  };
  context.createMediaStreamSource(stream).connect(node);
  return {
    async stop() {
      node.port.postMessage("stop");
      await all;
      stream.getTracks().forEach((track) => track.stop());
      const rate = context.sampleRate;
      await context.close();
      const samples = new Float32Array(blocks.reduce((sum, block) => sum + block.length, 0));
      blocks.reduce((at, block) => (samples.set(block, at), at + block.length), 0);
      return { samples, rate };
    },
  };
}
