// Keeps a page fresh by what the server tells (console/live.py), and never disturbs somebody who types, listens or has
// opened a form. A part of a page with data-live="cases alarms" ("*": anything) is fetched anew from its data-from; all
// parts of one address in one go. A part with data-always (nothing in it can be typed or opened) waits for nobody.
"use strict";
const AGES_MS = 60000; // words like "3 分钟" grow old by themselves
const AGAIN_MS = 1000; // how often a part that somebody is busy in is tried again
const SPREAD_MS = 400; // not all pages at one moment
const HELD_MS = 60000; // so long a part may stay old for somebody's sake before it says so
const LOST_MS = 5000; // so long the stream may be away before the page says so
const GIVEN_UP_MS = 20000; // a fetch that takes longer has failed
const STATES = {
  lost: "连不上服务，页面不是最新的 not up to date",
  out: "登录已过期，请重新登录 log in again",
  held: "有没写完的内容或正在播放，页面暂停更新 paused while you write or listen",
};
const FOCUSABLE = "a, button, summary, input, select, textarea, [tabindex]";
const stale = new Map(); // id of a part → since when
let source = null;
let lostSince = 0;
let failed = ""; // what the last answer comes to, when it wasn't the part
let opened = false;
let planned = 0; // the timer of the next fetch
let fetching = false;

function busy(part) {
  if ("always" in part.dataset) return false;
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
  const all = !topics || topics.includes("*");
  if (document.hidden && (all || topics.includes("cases"))) lookAway();
  for (const part of document.querySelectorAll("[data-live]")) {
    const wants = part.dataset.live.split(" ");
    const meant = all || wants.includes("*") || wants.some((topic) => topics.includes(topic));
    if (meant && !stale.has(part.id)) stale.set(part.id, Date.now());
  }
  renew();
}

function renew() {
  for (const id of [...stale.keys()]) if (!document.getElementById(id)) stale.delete(id);
  const now = !document.hidden && !planned && !fetching && due().length;
  if (now) planned = setTimeout(fetchAll, Math.random() * SPREAD_MS);
  say();
}

function due() {
  return [...stale.keys()].map((id) => document.getElementById(id)).filter((part) => part && !busy(part));
}

async function fetchAll() {
  planned = 0;
  fetching = true;
  const here = document.body.dataset.here;
  const parts = due();
  const whole = parts.some((part) => part.dataset.from === here);
  const byPlace = new Map();
  for (const part of parts) {
    const from = whole && part.dataset.from.startsWith("/shell?") ? here : part.dataset.from; // a page brings it along
    byPlace.set(from, [...(byPlace.get(from) || []), part.id]);
    stale.delete(part.id);
  }
  await Promise.all([...byPlace].map(([from, ids]) => fetchParts(from, ids)));
  fetching = false;
  renew();
}

async function fetchParts(from, ids) {
  const headers = { "X-Background": "1", "HX-Request": "true" }; // nobody did anything: the session doesn't live on by it
  try {
    const answer = await fetch(from, { headers, signal: AbortSignal.timeout(GIVEN_UP_MS) });
    failed = answer.status === 401 ? "out" : answer.ok ? "" : "lost";
    if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"), ids);
  } catch {
    failed = "lost";
  }
  if (failed === "lost") setTimeout(() => again(ids), LOST_MS);
}

function again(ids) {
  for (const id of ids) if (!stale.has(id)) stale.set(id, Date.now());
}

function show(page, ids) {
  const was = focus();
  for (const id of ids) {
    const part = document.getElementById(id);
    const fresh = page.getElementById(id);
    if (part && busy(part)) stale.set(id, Date.now()); // somebody began to type while it was fetched
    else if (part && fresh && !part.isEqualNode(fresh)) put(part, fresh);
  }
  const badge = page.getElementById("badge");
  if (badge) document.getElementById("badge").replaceWith(badge);
  refocus(was);
  entitle(page.title || document.title);
}

function put(part, fresh) {
  if ("always" in part.dataset) part.replaceChildren(...fresh.childNodes); // it stays, so that it is read out
  else part.replaceWith(fresh);
  htmx.process(fresh);
}

function entitle(title) {
  const waiting = document.querySelector("#emergencies [data-count]");
  const marked = waiting ? `(!${waiting.dataset.count}) ` : document.querySelector("#shell .alarm") ? "(!) " : "";
  const out = failed === "out" ? "(请登录) " : ""; // nobody is told of an emergency any more
  document.title = out + marked + title.replace(/^(\(请登录\) )?(\(!\d*\) )?/, "");
  announce();
}

// Where somebody was: the same link, summary or button of the same case, wherever that stands afterwards.
function focus() {
  const at = document.activeElement;
  const part = at && at.closest("[data-live]");
  return part && { at, part: part.id, home: at.closest("[id]").id, name: named(at) };
}

function named(element) {
  return element.tagName + (element.getAttribute("href") || element.textContent);
}

function refocus(was) {
  if (!was || was.at.isConnected) return;
  const home = document.getElementById(was.home) || document.getElementById(was.part);
  if (!home) return;
  const same = [home, ...home.querySelectorAll(FOCUSABLE)].find((element) => named(element) === was.name);
  if (!same && !home.matches(FOCUSABLE)) home.tabIndex = -1;
  (same || home).focus({ preventScroll: true });
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

// A page that is looked at keeps a stream; of those that are not, one of each browser does (away.js).
function listen() {
  if (!document.hidden) {
    comeBack();
    stream();
    return;
  }
  if (source) source.close();
  source = null;
  goAway(stream);
}

function stream() {
  if (source) return;
  source = new EventSource(`/live?seen=${opened ? "" : document.body.dataset.seen}`); // what changed since is told first
  source.onopen = () => {
    lostSince = 0;
    if (opened) tell(null); // what was missed meanwhile
    opened = true;
  };
  source.onerror = () => {
    lostSince = lostSince || Date.now();
    if (source.readyState === EventSource.CLOSED) { source = null; setTimeout(streamAgain, LOST_MS); }
  };
  source.onmessage = (message) => {
    const topics = JSON.parse(message.data);
    document.body.dispatchEvent(new CustomEvent("changed", { detail: topics })); // for scripts of a page
    tell(topics);
  };
}

function streamAgain() {
  if (!document.hidden || leaveAway) stream();
}

// A part that htmx fetches by itself, every few seconds.
function isPart(event) {
  return event.detail.elt && event.detail.elt.dataset && "live" in event.detail.elt.dataset;
}

document.addEventListener("htmx:configRequest", (event) => {
  if (isPart(event)) event.detail.headers["X-Background"] = "1";
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (isPart(event) && busy(event.detail.elt)) event.detail.shouldSwap = false;
});

if ("fresh" in document.body.dataset) {
  announce();
  offerNotices();
  listen();
  document.addEventListener("visibilitychange", listen);
  setInterval(renew, AGAIN_MS);
  setInterval(() => tell(null), AGES_MS);
}
