// A page that nobody looks at: another tab is in front. Of all such pages of a browser one keeps the stream (browsers have
// six connections to a place in all); it tells the others. They fetch nothing but emergencies that nobody has, put
// them into their title, and show a notice of the browser's where its user has allowed that: how many, never who.
"use strict";
const AWAY_MS = 2000; // a look at a time, so far apart
const AWAY_LOCK = "wenan.away";
const tabs = "BroadcastChannel" in window ? new BroadcastChannel(AWAY_LOCK) : null;
let leaveAway = null; // gives up the place of the one with the stream, or the wait for it
let lookedAway = 0; // when; later than now: one is coming
let told = null; // the emergencies that were there before

function goAway(open) {
  if (leaveAway || !navigator.locks) return;
  const waiting = new AbortController();
  let over = () => waiting.abort();
  leaveAway = () => { leaveAway = null; over(); };
  const keep = () => new Promise((done) => { over = done; open(); });
  navigator.locks.request(AWAY_LOCK, { signal: waiting.signal }, keep).catch(() => {}); // called off
}

function comeBack() {
  if (leaveAway) leaveAway();
}

function lookAway() {
  const now = Date.now();
  if (lookedAway > now) return;
  const wait = Math.max(0, lookedAway + AWAY_MS - now);
  lookedAway = now + wait;
  setTimeout(async () => {
    const before = emergencies();
    await fetchParts(document.getElementById("emergencies").dataset.from, ["emergencies"]);
    entitle(document.title);
    if (tabs && String(before) !== String(emergencies())) tabs.postMessage("look");
  }, wait);
}

function emergencies() {
  return [...document.querySelectorAll("#emergencies a")].map((link) => link.getAttribute("href"));
}

function announce() {
  const before = told || emergencies();
  told = emergencies();
  const fresh = told.some((one) => !before.includes(one));
  if (!fresh || !document.hidden || !("Notification" in window) || Notification.permission !== "granted") return;
  const count = document.querySelector("#emergencies [data-count]").dataset.count;
  const more = { body: `${count} 位老人在等。 ${count} waiting, nobody has it yet.`, tag: AWAY_LOCK, renotify: true, requireInteraction: true };
  try {
    const notice = new Notification("问安：紧急，还没有人接手", more);
    notice.onclick = () => { window.focus(); notice.close(); };
  } catch { /* telephones have no such notices; the title is left */ }
}

function offerNotices() {
  const button = document.getElementById("notices");
  if (!button || !("Notification" in window) || Notification.permission !== "default") return;
  button.hidden = false;
  button.addEventListener("click", async () => { button.hidden = (await Notification.requestPermission()) !== "default"; });
}

if (tabs) tabs.onmessage = () => { if (document.hidden) lookAway(); };
