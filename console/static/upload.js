// A form that sends one chosen file as it is: <form data-upload="/import">, its other fields in the address. The answer
// says where to go on, or what is wrong. And a part that says data-working is fetched again until it doesn't.
"use strict";
const forms = document.querySelectorAll("form[data-upload]");
for (const form of forms) {
  const told = form.querySelector("[data-told]");
  const say = (text, wrong) => { told.textContent = text; told.className = wrong ? "error" : "calm"; };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const file = form.querySelector("input[type=file]").files[0];
    if (!file) return say("请先选一份表格。Choose a file first.", true);
    const most = Number(form.dataset.most);
    if (file.size > most) return say(`文件太大（最多 ${Math.floor(most / 1e6)} MB）。The file is too large.`, true);
    const fields = new URLSearchParams({ name: file.name.slice(-100) });
    for (const [key, value] of new FormData(form)) if (typeof value === "string" && key !== "token") fields.set(key, value);
    const button = form.querySelector("button");
    button.disabled = true;
    say("正在传… sending …", false);
    try {
      const answer = await fetch(`${form.dataset.upload}?${fields}`, {
        method: "POST", body: file, credentials: "same-origin", redirect: "error",
        headers: { "X-CSRF-Token": form.elements.token.value, "Content-Type": "application/octet-stream", Accept: "application/json" },
      });
      const type = answer.headers.get("content-type") || "";
      const found = type.includes("json") ? await answer.json() : { wrong: "没有传上去，请重新登录或刷新后再试。It was not taken: log in again, or reload." };
      if (found.go) return location.assign(found.go);
      say(found.wrong, true);
    } catch {
      say("没有传上去：网络断了，或文件读不出来。请再试一次。It could not be sent: try again.", true);
    }
    button.disabled = false;
  });
}
setInterval(() => {
  const part = document.querySelector("[data-working]");
  if (part && !document.hidden) {
    htmx.ajax("GET", location.href, { target: `#${part.id}`, select: `#${part.id}`, swap: "outerHTML", headers: { "X-Background": "1" } });
  }
}, 1200);
