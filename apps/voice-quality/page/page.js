// The page: take a recording, send it, follow the job, show the score.

import { fromFile, fromSamples, record, SECONDS_MAX } from "./sound.js";

const $ = (id) => document.getElementById(id);
const JOBS = new URL("jobs", location.href.replace(/[?#].*/, "")).href;
const WORDS = ["Bad", "Poor", "Fair", "Good", "Excellent"];
const PAST_MAX = 8;
const REFUSALS = {
  403: "The key is not let in.",
  408: "The engine did not get to it in time. Send it again.",
  413: "The recording is too long.",
  415: "The service does not take this kind of file.",
  429: "Too many requests: wait a little, then try again.",
};

let sound = null; // What will be sent.
let raw = null; // What it is made of, in case another rate is chosen.
let recording = null;

const say = (text, kind = "") => {
  $("state").textContent = text;
  $("state").dataset.kind = kind;
};
const saved = (name) => JSON.parse(sessionStorage.getItem(name) ?? "null");
const save = (name, value) => sessionStorage.setItem(name, JSON.stringify(value));

async function take(make) {
  raw = make;
  try {
    sound = await make(Number($("rate").value));
    say("");
  } catch (problem) {
    sound = null;
    say(problem.message, "bad");
  }
  show();
}

function show() {
  $("take").hidden = !sound;
  if (!sound) return;
  const kb = Math.round(sound.wav.byteLength / 1000);
  $("facts").textContent = `${sound.seconds.toFixed(1)} s · ${sound.rate / 1000} kHz · ${kb} KB`;
  URL.revokeObjectURL($("player").src);
  $("player").src = URL.createObjectURL(new Blob([sound.wav], { type: "audio/wave" }));
  draw($("wave"), sound.samples);
}

function draw(canvas, samples) {
  const pen = canvas.getContext("2d");
  const { width, height } = canvas;
  pen.clearRect(0, 0, width, height);
  pen.fillStyle = getComputedStyle(canvas).color;
  const step = 6;
  const bars = Math.floor(width / step);
  for (let bar = 0; bar < bars; bar++) {
    const from = Math.floor((bar * samples.length) / bars);
    const to = Math.max(from + 1, Math.floor(((bar + 1) * samples.length) / bars));
    let peak = 0;
    for (let at = from; at < to; at++) peak = Math.max(peak, Math.abs(samples[at]));
    const tall = Math.max(3, peak * height);
    pen.fillRect(bar * step, (height - tall) / 2, step - 2, tall);
  }
}

async function toggleRecording() {
  if (recording) {
    const held = recording;
    recording = null;
    const { samples, rate } = await held.stop();
    showRecording(false);
    await take((wanted) => fromSamples(samples, rate, wanted));
    return;
  }
  try {
    recording = await record((loud, seconds) => {
      $("record").style.setProperty("--level", Math.min(1, loud * 1.5));
      $("record-label").textContent = `Stop (${seconds.toFixed(0)} s)`;
      if (seconds >= SECONDS_MAX - 1 && recording) toggleRecording();
    });
    showRecording(true);
    say("");
  } catch (problem) {
    say(
      problem.name === "NotAllowedError"
        ? "The browser may not use the microphone. Allow it, or choose a file."
        : "There is no microphone here. Choose a file instead.",
      "bad",
    );
  }
}

function showRecording(isOn) {
  $("record").setAttribute("aria-pressed", String(isOn));
  $("record-label").textContent = isOn ? "Stop" : "Record again";
  $("send").disabled = isOn;
}

async function ask(path, options = {}) {
  const answer = await fetch(JOBS + path, {
    ...options,
    headers: { "x-api-key": $("key").value, ...options.headers },
  });
  const body = await answer.json().catch(() => ({}));
  return { status: answer.status, body, wait: Number(answer.headers.get("Retry-After")) || 2 };
}

const refusal = ({ status, body }) =>
  status === 400 || status === 404 || status === 500 || status === 503
    ? sentence(body.message ?? "The service has failed.")
    : (REFUSALS[status] ?? `The service answered ${status}.`);

const sentence = (text) => text[0].toUpperCase() + text.slice(1).replace(/\.?$/, ".");

async function send(event) {
  event.preventDefault();
  if (!sound) return say("There is no recording yet.", "bad");
  for (const id of ["key", "reference"]) {
    const isGood = $(id).checkValidity();
    $(id).setAttribute("aria-invalid", String(!isGood));
    if (!isGood) {
      $(id).focus();
      return say(id === "key" ? "The API key is missing." : "The reference needs a name: letters, digits, dashes.", "bad");
    }
  }
  await busy(async () => {
    save("settings", { reference: $("reference").value, rate: $("rate").value, mode: $("mode").value });
    say("Sending …", "busy");
    const query = new URLSearchParams({ reference: $("reference").value, mode: $("mode").value });
    const found = await ask(`?${query}`, {
      method: "POST",
      headers: { "Content-Type": "audio/wave" },
      body: sound.wav,
    });
    if (found.status !== 202) return say(refusal(found), "bad");
    save("job", { id: found.body.id, since: Date.now() });
    await follow();
  });
}

async function follow() {
  const { id, since } = saved("job");
  for (;;) {
    const found = await ask(`/${encodeURIComponent(id)}`);
    if (![202, 429, 503].includes(found.status)) {
      sessionStorage.removeItem("job");
      if (found.status !== 200) return say(refusal(found), "bad");
      say("");
      return tell(found.body);
    }
    const seconds = Math.round((Date.now() - since) / 1000);
    // A machine that cannot be reached for a while goes on with what it was given.
    const doing = found.status === 503 ? "The engine cannot be reached now; asking again" : "The engine is at work";
    say(`${doing} … ${seconds} s`, "busy");
    await new Promise((resume) => setTimeout(resume, found.wait * 1000));
  }
}

async function busy(work) {
  $("send").disabled = true;
  try {
    await work();
  } catch {
    say("The service cannot be reached. Try again.", "bad");
  } finally {
    $("send").disabled = false;
  }
}

function tell({ id, state, mos_lqo: score, ...more }) {
  const past = [{ id, score, reference: $("reference").value }, ...(saved("past") ?? [])];
  save("past", past.slice(0, PAST_MAX));
  $("score").textContent = score.toFixed(2);
  $("word").textContent = WORDS[Math.max(0, Math.min(4, Math.round(score) - 1))];
  const place = ((Math.max(1, Math.min(5, score)) - 1) / 4) * 382 + 9;
  $("fill").setAttribute("width", place);
  $("mark").setAttribute("cx", place);
  $("details").replaceChildren(
    ...Object.entries({ ...more, job: id }).flatMap(([name, value]) => {
      const term = document.createElement("dt");
      const told = document.createElement("dd");
      term.textContent = name.replaceAll("_", " ");
      told.textContent = value;
      return [term, told];
    }),
  );
  $("result").hidden = false;
  $("result").focus();
  showPast();
}

function showPast() {
  const past = (saved("past") ?? []).slice(1);
  $("past").hidden = !past.length;
  $("scores").replaceChildren(
    ...past.map(({ score, reference }) => {
      const item = document.createElement("li");
      item.textContent = `${score.toFixed(2)} against ${reference}`;
      return item;
    }),
  );
}

async function readFile(file) {
  if (!file) return;
  const bytes = await file.arrayBuffer();
  await take((rate) => fromFile(bytes, rate));
}

$("job").addEventListener("submit", send);
$("record").addEventListener("click", toggleRecording);
$("file").addEventListener("change", () => readFile($("file").files[0]));
$("rate").addEventListener("change", () => raw && take(raw));
$("drop").addEventListener("dragover", (event) => event.preventDefault());
$("drop").addEventListener("drop", (event) => {
  event.preventDefault();
  readFile(event.dataTransfer.files[0]);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => sound && draw($("wave"), sound.samples));

for (const [id, value] of Object.entries(saved("settings") ?? {})) $(id).value = value;
$("key").value = saved("key") ?? "";
$("key").addEventListener("change", () => save("key", $("key").value));
showPast();
// A page that was loaded again goes on with its job.
if (saved("job")) busy(follow);
