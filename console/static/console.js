// Keeps the page of today fresh, and never disturbs somebody who types, listens or has opened a form.
"use strict";
const EVERY_MS = 10000;

function busy(main) {
  const typing = main.contains(document.activeElement) && /INPUT|AUDIO|BUTTON/.test(document.activeElement.tagName);
  const open = main.querySelector("details[open]");
  const playing = [...main.querySelectorAll("audio")].some((audio) => !audio.paused);
  return typing || open || playing || document.hidden || String(getSelection());
}

async function refresh() {
  const main = document.querySelector("main");
  if (busy(main)) return;
  const answer = await fetch("/", { cache: "no-store" });
  if (!answer.ok) throw new Error(answer.status);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (busy(main)) return;
  for (const part of ["main", "header", "footer", "title"]) {
    document.querySelector(part).replaceWith(document.adoptNode(page.querySelector(part)));
  }
}

async function keepFresh() {
  try {
    await refresh();
    document.body.classList.remove("stale");
  } catch {
    document.body.classList.add("stale"); // the page is old: say so rather than look calm
  }
}

if (location.pathname === "/") setInterval(keepFresh, EVERY_MS);
