// The player of a flagged call: waveform, jumps, speed, keys. Without this file the browser's own player is left.
"use strict";
const STEP_S = 5;
const KEYS_KEPT = "wenan.keys";

function player() {
  const box = document.getElementById("player");
  const audio = document.getElementById("audio");
  if (!box || !audio) return null;
  draw(box, audio);
  const start = Number(box.dataset.start);
  const jump = (seconds) => {
    audio.currentTime = Math.max(0, seconds);
    audio.play().catch(() => {}); // the browser says itself what it can't play
  };
  const speed = document.getElementById("speed");
  speed.addEventListener("change", () => { audio.playbackRate = Number(speed.value); });
  audio.addEventListener("play", () => { audio.playbackRate = Number(speed.value); });
  audio.addEventListener("timeupdate", () => mark(audio.currentTime));
  const acts = {
    back: () => jump(audio.currentTime - STEP_S),
    on: () => jump(audio.currentTime + STEP_S),
    start: () => jump(start),
    toggle: () => (audio.paused ? jump(audio.currentTime || start) : audio.pause()),
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-do], button[data-seek]");
    if (!button) return;
    if (button.dataset.do) acts[button.dataset.do]();
    else jump(Number(button.dataset.seek));
  });
  return acts;
}

function draw(box, audio) {
  const wave = document.getElementById("wave");
  if (!wave || !window.WaveSurfer) return;
  const colours = getComputedStyle(document.documentElement);
  const seconds = Number(box.dataset.seconds);
  window.WaveSurfer.create({
    container: wave,
    media: audio, // plays by itself; nothing is fetched before somebody listens
    peaks: [box.dataset.peaks.split(" ").map((each) => Number(each) / 100)],
    duration: seconds,
    height: 72, // the style that comes with it is allowed by its hash (console/flagged_routes.py)
    waveColor: colours.getPropertyValue("--edge").trim(),
    progressColor: colours.getPropertyValue("--blue").trim(),
    cursorColor: colours.getPropertyValue("--red").trim(),
  });
}

function mark(seconds) {
  let last = null;
  for (const turn of document.querySelectorAll(".turn[data-at]")) {
    if (Number(turn.dataset.at) <= seconds) last = turn;
    turn.classList.remove("now");
  }
  if (last) last.classList.add("now");
}

function keys(acts) {
  const wanted = document.getElementById("keys");
  const kept = (value) => { try { return value === undefined ? localStorage.getItem(KEYS_KEPT) : localStorage.setItem(KEYS_KEPT, value); } catch { return null; } };
  if (wanted) {
    wanted.checked = kept() !== "off";
    wanted.addEventListener("change", () => kept(wanted.checked ? "on" : "off"));
  }
  const acting = { " ": "toggle", ArrowLeft: "back", ArrowRight: "on" };
  document.addEventListener("keydown", (event) => {
    const at = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || (wanted && !wanted.checked)) return;
    if (at.matches("input:not([type=radio]):not([type=checkbox]), textarea, select, audio, summary")) return;
    if (event.key === " " && at.matches("button, a, input")) return; // space presses what is focused
    if (event.key.startsWith("Arrow") && at.matches("input[type=radio]")) return; // the arrows choose there
    if (acts && acting[event.key]) { event.preventDefault(); acts[acting[event.key]](); return; }
    const choice = document.querySelector(`input[data-key="${CSS.escape(event.key)}"]`);
    if (choice) {
      event.preventDefault();
      choice.checked = true;
      document.getElementById("note").focus(); // a note, if there is one; Enter decides
    } else if (event.key.toLowerCase() === "n" && document.getElementById("next")) {
      document.getElementById("next").click();
    }
  });
}

keys(player());
