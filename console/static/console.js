// Keeps a page fresh by what the server tells (console/live.py), and never disturbs somebody who types, listens or has
// opened a form. A part of a page with data-live="cases alarms" ("*": anything) gets the event "stale", by which htmx
// fetches it anew.
"use strict";
const AGES_MS = 60000; // words like "3 分钟" grow old by themselves
const AGAIN_MS = 1000; // how often a part that somebody is busy in is tried again
const HELD_MS = 60000; // so long a part may stay old for somebody's sake before it says so
const LOST_MS = 5000; // so long the stream may be away before the page says so
const STATES = {
  lost: "连不上服务，页面不是最新的 not up to date",
  out: "登录已过期，请重新登录 log in again",
  held: "有没写完的内容或正在播放，页面暂停更新 paused while you write or listen",
};
const stale = new Map(); // id of a part → since when
let source = null;
let lostSince = 0;
let failed = ""; // what the last answer comes to, when it wasn't the part
let opened = false;

function busy(part) {
  const at = document.activeElement;
  const typing = part.contains(at) && /INPUT|SELECT|TEXTAREA|AUDIO|BUTTON/.test(at.tagName);
  const open = part.querySelector("details[open], dialog[open], [data-busy]");
  const playing = [...part.querySelectorAll("audio")].some((audio) => !audio.paused || audio.currentTime);
  const typed = [...part.querySelectorAll("input, textarea")].some(
    (input) => input.type !== "hidden" && (input.value !== input.defaultValue || input.checked !== input.defaultChecked));
  const chosen = [...part.querySelectorAll("select")].some((select) => select.selectedIndex !== first(select));
  return typing || typed || chosen || open || playing || String(getSelection());
}

function first(select) {
  return Math.max(0, [...select.options].findIndex((option) => option.defaultSelected));
}

function tell(topics) {
  for (const part of document.querySelectorAll("[data-live]")) {
    const wants = part.dataset.live.split(" ");
    const meant = !topics || wants.includes("*") || wants.some((topic) => topics.includes(topic));
    if (meant && !stale.has(part.id)) stale.set(part.id, Date.now());
  }
  renew();
}

function renew() {
  if (document.hidden) return;
  for (const id of [...stale.keys()]) {
    const part = document.getElementById(id);
    if (part && busy(part)) continue;
    stale.delete(id);
    if (part) htmx.trigger(part, "stale");
  }
  say();
}

function say() {
  const lost = lostSince && Date.now() - lostSince > LOST_MS ? "lost" : "";
  const held = [...stale.values()].some((since) => Date.now() - since > HELD_MS);
  const state = failed || lost || (held ? "held" : "");
  document.body.classList.toggle("stale", state === "lost" || state === "out");
  document.body.classList.toggle("held", state === "held");
  const line = document.getElementById("state");
  if (line.textContent !== (STATES[state] || "")) line.textContent = STATES[state] || "";
}

// Browsers have six connections to a place in all: only the page that is looked at keeps a stream.
function listen() {
  if (document.hidden) {
    if (source) source.close();
    source = null;
    return;
  }
  if (source) return;
  source = new EventSource("/live");
  source.onopen = () => {
    lostSince = 0;
    if (opened) tell(null); // what was missed meanwhile
    opened = true;
  };
  source.onerror = () => {
    lostSince = lostSince || Date.now();
    if (source.readyState === EventSource.CLOSED) { source = null; setTimeout(listen, LOST_MS); }
  };
  source.onmessage = (message) => {
    const topics = JSON.parse(message.data);
    document.body.dispatchEvent(new CustomEvent("changed", { detail: topics })); // for scripts of a page
    tell(topics);
  };
}

function isPart(event) {
  return event.detail.elt && event.detail.elt.dataset && "live" in event.detail.elt.dataset;
}

document.addEventListener("htmx:configRequest", (event) => {
  if (isPart(event)) event.detail.headers["X-Background"] = "1"; // nobody did anything: the session doesn't live on by it
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!isPart(event)) return;
  const status = event.detail.xhr.status;
  failed = status === 401 ? "out" : status >= 400 ? "lost" : "";
  if (busy(event.detail.elt)) {
    event.detail.shouldSwap = false; // somebody began to type while it was fetched
    stale.set(event.detail.elt.id, Date.now());
  }
});
for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => { if (isPart(event)) failed = "lost"; });
}

if ("fresh" in document.body.dataset) {
  listen();
  document.addEventListener("visibilitychange", listen);
  setInterval(renew, AGAIN_MS);
  setInterval(() => tell(null), AGES_MS);
}
