// Keeps a page fresh, and never disturbs somebody who types, listens or has opened a form.
"use strict";
const EVERY_MS = 10000;
const HELD_MS = 60000; // so long a page may stay old for somebody's sake before it says so
let fresh = Date.now();

function busy(main) {
  const typing = main.contains(document.activeElement) && /INPUT|SELECT|TEXTAREA|AUDIO|BUTTON/.test(document.activeElement.tagName);
  const open = main.querySelector("details[open]");
  const playing = [...main.querySelectorAll("audio")].some((audio) => !audio.paused || audio.currentTime);
  const typed = [...main.querySelectorAll("input, textarea")].some((input) => input.value !== input.defaultValue);
  const chosen = [...main.querySelectorAll("select")].some((select) => select.selectedIndex !== first(select));
  return typing || typed || chosen || open || playing || document.hidden || String(getSelection());
}

function first(select) {
  return Math.max(0, [...select.options].findIndex((option) => option.defaultSelected));
}

async function refresh() {
  const main = document.querySelector("main");
  if (busy(main)) return;
  const answer = await fetch(location.href, { cache: "no-store" });
  if (!answer.ok) throw new Error(answer.status);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (busy(main)) return;
  for (const part of ["main", "header", "footer", "title"]) {
    document.querySelector(part).replaceWith(document.adoptNode(page.querySelector(part)));
  }
  fresh = Date.now();
}

async function keepFresh() {
  try {
    await refresh();
    document.body.classList.remove("stale");
  } catch {
    document.body.classList.add("stale"); // the page is old: say so rather than look calm
  }
  document.body.classList.toggle("held", Date.now() - fresh > HELD_MS);
}

if ("fresh" in document.body.dataset) setInterval(keepFresh, EVERY_MS);
