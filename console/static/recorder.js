// Records what staff say (or takes a file that they choose) and keeps it on the server as a draft (console/sounds.py);
// the form sends its id. Also has a text spoken as the elder will hear it. Markup: templates/sounds.html.
import { Sound } from "./phone-audio.js";

const MOST_S = 180;
const MOST_BYTES = 20 * 1024 * 1024; // console/access.py
const SAYS = {
  opening: "正在打开话筒… opening the microphone",
  recording: "正在录音，说完按“停” recording: press stop when done",
  sending: "正在保存… saving",
  saying: "正在准备… one moment",
  kept: "录好了，请听一遍。Recorded: listen to it.",
  said: "老人会听到这样 as the elder will hear it",
  deaf: "话筒不能用（没有话筒，或浏览器没有允许）。可以选一个文件。The microphone can't be used; choose a file.",
  unreadable: "这个文件不是能用的录音。This file is no recording that can be used.",
  busy: "还在录音或保存，请先停下。Still recording or saving: stop first.",
  out: "登录已过期，请重新登录。Log in again.",
  lost: "连不上服务，没有保存。请再试一次。The server can't be reached; nothing was saved.",
};
let running = null; // { recorder, sound, pieces, samples }: one at a time

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-record], [data-drop], [data-preview]");
  if (!button) return;
  if ("record" in button.dataset) toggle(button.closest("[data-recorder]"));
  else if ("drop" in button.dataset) drop(button.closest("[data-recorder]"));
  else preview(button.closest("[data-said]"), button);
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-recorder] [type=file]") && event.target.files.length) choose(event.target);
});

document.addEventListener("submit", (event) => {
  const unready = event.target.querySelector("[data-recorder][data-state]");
  if (!unready) return;
  event.preventDefault();
  say(unready, SAYS.busy);
}, true);

function toggle(recorder) {
  if (running && running.recorder === recorder) stop();
  else if (!running && !recorder.dataset.state) record(recorder);
}

async function record(recorder) {
  drop(recorder);
  state(recorder, "opening");
  const pieces = [];
  const sound = new Sound((piece) => add(new Int16Array(piece)), (level) => { part(recorder, "level").value = level; });
  running = { recorder, sound, pieces, samples: 0 };
  await sound.open();
  if (!(await sound.listen())) {
    await sound.close();
    running = null;
    return state(recorder, "", SAYS.deaf);
  }
  state(recorder, "recording");
}

function add(piece) {
  if (!running || running.recorder.dataset.state !== "recording") return;
  running.pieces.push(piece);
  running.samples += piece.length;
  const seconds = Math.floor(running.samples / running.sound.rate);
  part(running.recorder, "time").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  if (seconds >= MOST_S || !running.recorder.isConnected) stop();
}

async function stop() {
  const { recorder, sound, pieces, samples } = running;
  if (recorder.dataset.state !== "recording") return;
  const rate = sound.rate;
  state(recorder, "sending");
  running = null;
  await sound.close();
  await send(recorder, wav(pieces, samples, rate));
}

async function choose(input) {
  const recorder = input.closest("[data-recorder]");
  const file = input.files[0];
  input.value = "";
  if (running || recorder.dataset.state) return say(recorder, SAYS.busy);
  drop(recorder);
  state(recorder, "sending");
  const whole = await file.arrayBuffer();
  const isWav = /\.wav$/i.test(file.name) && file.size <= MOST_BYTES;
  const body = isWav ? whole : await converted(whole);
  if (body) await send(recorder, body);
  else state(recorder, "", SAYS.unreadable);
}

// Whatever this browser can play, as a wav with one channel.
async function converted(file) {
  try {
    const context = new OfflineAudioContext(1, 1, 16000);
    const audio = await context.decodeAudioData(file);
    const mono = new Int16Array(Math.min(audio.length, (MOST_S + 10) * audio.sampleRate));
    const channels = [...Array(audio.numberOfChannels).keys()].map((n) => audio.getChannelData(n));
    for (let i = 0; i < mono.length; i++) {
      const value = channels.reduce((sum, channel) => sum + channel[i], 0) / channels.length;
      mono[i] = Math.round(Math.max(-1, Math.min(1, value)) * 32767);
    }
    return wav([mono], mono.length, audio.sampleRate);
  } catch {
    return null;
  }
}

async function send(recorder, body) {
  const answer = await post("/sounds", body, "audio/wav");
  if (answer.id) {
    part(recorder, "id").value = answer.id;
    show(recorder, answer.id);
  }
  state(recorder, "", answer.wrong || SAYS.kept, Boolean(answer.wrong));
}

async function preview(box, button) {
  const text = document.getElementById(button.dataset.preview).value;
  say(box, SAYS.saying);
  const answer = await post("/sounds/said", new URLSearchParams({ text, about: button.dataset.about || "" }));
  say(box, answer.wrong || SAYS.said, Boolean(answer.wrong));
  if (answer.id) show(box, answer.id).play();
}

async function post(address, body, type) {
  const headers = JSON.parse(document.body.getAttribute("hx-headers"));
  if (type) headers["Content-Type"] = type;
  try {
    const answer = await fetch(address, { method: "POST", headers, body });
    if (answer.status === 401) return { wrong: SAYS.out };
    if (!(answer.headers.get("content-type") || "").startsWith("application/json")) return { wrong: SAYS.lost };
    return await answer.json();
  } catch {
    return { wrong: SAYS.lost };
  }
}

function drop(recorder) {
  if (recorder.dataset.state) return;
  part(recorder, "id").value = "";
  part(recorder, "back").hidden = true;
  part(recorder, "drop").hidden = true;
  part(recorder, "back").removeAttribute("src");
  say(recorder, "");
  delete recorder.dataset.busy;
}

function show(box, id) {
  const audio = part(box, "back");
  audio.src = `/sounds/${id}`;
  audio.hidden = false;
  const remove = part(box, "drop");
  if (remove) remove.hidden = false;
  return audio;
}

// What is being recorded or kept here must not be fetched anew (data-busy: console.js).
function state(recorder, next, words = SAYS[next], wrong = false) {
  if (next) recorder.dataset.state = next;
  else delete recorder.dataset.state;
  recorder.toggleAttribute("data-busy", Boolean(next || part(recorder, "id").value));
  const going = next === "opening" || next === "recording";
  part(recorder, "level").hidden = part(recorder, "time").hidden = !going;
  const button = recorder.querySelector("[data-record]");
  button.querySelector("[data-start]").hidden = going;
  button.querySelector("[data-stop]").hidden = !going;
  say(recorder, words || "", wrong);
}

function say(box, words, wrong = false) {
  const line = part(box, "status");
  line.textContent = words;
  line.classList.toggle("error", wrong);
}

function part(box, name) { return box.querySelector(`[data-part=${name}]`); }

function wav(pieces, samples, rate) {
  const file = new DataView(new ArrayBuffer(44 + 2 * samples));
  const word = (at, text) => [...text].forEach((sign, n) => file.setUint8(at + n, sign.charCodeAt(0)));
  word(0, "RIFF"); file.setUint32(4, 36 + 2 * samples, true); word(8, "WAVEfmt "); file.setUint32(16, 16, true);
  file.setUint16(20, 1, true); file.setUint16(22, 1, true); file.setUint32(24, rate, true);
  file.setUint32(28, 2 * rate, true); file.setUint16(32, 2, true); file.setUint16(34, 16, true);
  word(36, "data"); file.setUint32(40, 2 * samples, true);
  let at = 44;
  for (const piece of pieces) for (const sample of piece) { file.setInt16(at, sample, true); at += 2; }
  return file.buffer;
}
