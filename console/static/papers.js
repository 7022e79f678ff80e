// A pile of papers by keyboard: a figure chooses in the topic that has the focus and goes on to the next one, 0 leaves it
// blank; after the last one the button has the focus, and Enter enters the paper.
"use strict";

document.addEventListener("keydown", (event) => {
  const topic = event.target.closest("[data-paper] [data-topic]");
  if (!topic || event.ctrlKey || event.altKey || event.metaKey || !/^[0-9]$/.test(event.key)) return;
  const value = event.key === "0" ? "" : event.key;
  const choice = [...topic.querySelectorAll("input[type=radio]")].find((radio) => radio.value === value);
  if (!choice) return;
  event.preventDefault();
  choice.checked = true;
  next(topic).focus();
});

function next(topic) {
  const form = topic.closest("form");
  const topics = [...form.querySelectorAll("[data-topic]")];
  const following = topics[topics.indexOf(topic) + 1];
  if (!following) return form.querySelector("button");
  return following.querySelector("input:checked") || following.querySelector("input");
}
