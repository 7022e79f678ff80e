// The page that is a telephone. The server is the exchange (console/phone_socket.py); this is hook, keys and sound.
import { Sound } from "./phone-audio.js";

const $ = (id) => document.getElementById(id);
const STANDS = {
  idle: ["挂着", "on the hook"],
  asking: ["正在接线…", "connecting …"],
  dialling: ["已摘机，正在拨号…", "off the hook, dialling …"],
  waiting: ["等电话打来…", "waiting to be rung …"],
  ringing: ["响铃：请接电话", "it rings: pick it up"],
  talking: ["通话中", "talking"],
  ended: ["对方已挂断", "the line has hung up"],
};
const HOOKS = {
  idle: ["打电话", "call"],
  ringing: ["接电话", "pick up"],
  ended: ["挂好听筒", "put it down"],
  other: ["挂断", "hang up"],
};
const WHO = { line: ["线路", "line"], elder: ["这边", "this side"], note: ["记", "note"] };

let state = "idle";
let call = null; // { socket, sound, inbound, over }

function words(element, [zh, en]) {
  const small = document.createElement("small");
  small.lang = "en";
  small.textContent = en;
  element.replaceChildren(`${zh} `, small);
}

function stand(next) {
  state = next;
  $("phone").dataset.state = next;
  words($("stand"), STANDS[next]);
  words($("hook"), HOOKS[next] || HOOKS.other);
  const talking = next === "talking";
  for (const key of document.querySelectorAll(".key")) key.disabled = !talking;
  $("mute").disabled = !(call && call.sound.mouth) || next === "asking";
  for (const field of $("wish").elements) field.disabled = next !== "idle";
  $("hook").disabled = next === "asking";
  if (next === "idle") flows();
}

function flows() {
  const kind = new FormData($("wish")).get("kind");
  $("flows").hidden = kind !== "trial";
}

function tell(who, text, detail = "") {
  const item = document.createElement("li");
  item.className = `by-${who}`;
  const name = document.createElement("b");
  words(name, WHO[who]);
  const said = document.createElement("span");
  said.textContent = text;
  item.append(name, " ", said);
  if (detail) {
    const more = document.createElement("small");
    more.textContent = ` ${detail}`;
    item.append(more);
  }
  $("turns").append(item);
  item.scrollIntoView({ block: "nearest" });
}

function turn(message) {
  tell(message.who, message.text, message.detail);
  if (message.keys_only) words($("mic"), ["线路听不到说话：只能按键", "the line hears no speech: keys only"]);
}

function fault(zh, en) {
  const line = document.createElement("p");
  line.className = "error";
  line.setAttribute("role", "alert");
  line.textContent = `${zh} ${en}`;
  $("after").replaceChildren(line);
}

async function ticket(form) {
  const answer = await fetch("/phone/calls", { method: "POST", body: form, cache: "no-store" });
  if (!(answer.headers.get("Content-Type") || "").includes("json")) { // logged out, or a page of before
    fault("页面已过期，请刷新页面或重新登录。", "this page has expired: reload it, or log in again");
    throw new Error(answer.status);
  }
  const found = await answer.json();
  if (!answer.ok) { fault(found.zh, found.en); throw new Error(found.en); }
  return found.ticket;
}

async function begin() {
  const form = new URLSearchParams(new FormData($("wish")));
  $("turns").replaceChildren();
  $("after").replaceChildren();
  stand("asking");
  const sound = new Sound(speak, (level) => { $("level").value = level; });
  call = { sound, socket: null, inbound: form.get("kind") === "in", over: false };
  try {
    await sound.open();
    await microphone(sound);
    await connect(await ticket(form));
  } catch (error) {
    console.warn(error);
    if (!$("after").hasChildNodes()) fault("电话没有接通，请再试一次。", "the telephone could not be connected; try again");
    await putDown();
  }
}

async function microphone(sound) {
  if (!$("use-mic").checked) return words($("mic"), ["没有用话筒：只按键", "no microphone: by keys only"]);
  const open = await sound.listen();
  words($("mic"), open ? ["话筒开着", "microphone on"] : ["没有话筒，或不许用：只按键", "no microphone, or not allowed: by keys only"]);
}

function connect(ticket) {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/phone/line`);
  socket.binaryType = "arraybuffer";
  call.socket = socket;
  socket.onopen = () => {
    socket.send(JSON.stringify({ ticket, rate: call.sound.rate }));
    stand(call.inbound ? "dialling" : "waiting");
    if (call.inbound) call.sound.ringing();
  };
  socket.onmessage = (message) => hear(message.data);
  socket.onclose = () => lost(socket);
}

function lost(socket) {
  if (!call || call.socket !== socket || call.over) return;
  fault("线路断了。", "the connection is gone");
  putDown();
}

function speak(piece) {
  if (state === "talking" && call.socket.readyState === WebSocket.OPEN) call.socket.send(piece);
}

function send(message) {
  if (call && call.socket && call.socket.readyState === WebSocket.OPEN) call.socket.send(JSON.stringify(message));
}

function hear(data) {
  if (!call) return;
  if (typeof data !== "string") {
    if (state === "talking") call.sound.play(data);
    return;
  }
  const message = JSON.parse(data);
  if (message.type === "turn") turn(message);
  else if (message.type === "flush") call.sound.flush();
  else if (message.type === "over") over(message);
  else if (message.type === "state") happens(message);
}

function happens(message) {
  switch (message.state) {
    case "trial":
      tell("note", "试打：不算数，不改任何个案", "a trial: it changes no case");
      break;
    case "real":
      tell("note", "算数：虚构老人的真实流程", "it counts: an invented elder's real call");
      break;
    case "ringing":
      call.sound.bell();
      stand("ringing");
      break;
    case "answered":
      call.sound.quiet();
      stand("talking");
      break;
    case "ended":
      if (state === "talking") call.sound.engaged();
      else call.sound.quiet();
      stand("ended");
      break;
    case "failed":
      call.over = true;
      fault(message.why, "");
      putDown();
      break;
  }
}

function over(message) {
  call.over = true;
  if (message.case) {
    const link = document.createElement("a");
    link.href = `/case/${message.case}`;
    words(link, ["看这个个案", "see the case"]);
    $("after").replaceChildren(link);
  }
  if (state !== "idle") putDown();
}

async function putDown() {
  const { sound, socket } = call || {};
  call = null;
  if (socket) socket.close();
  if (sound) await sound.close();
  $("level").value = 0;
  $("mute").setAttribute("aria-pressed", "false");
  words($("mic"), ["话筒还没开", "microphone off"]);
  stand("idle");
}

function hook() {
  if (state === "idle") return begin();
  if (state === "ringing") {
    call.sound.quiet();
    send({ type: "pick_up" });
    return words($("stand"), ["已摘机…", "picked up …"]);
  }
  if (state === "talking" || state === "dialling") { // what the call came to is still told
    call.sound.quiet();
    send({ type: "hang_up" });
    return words($("stand"), ["已挂断…", "hung up …"]);
  }
  return putDown();
}

function press(key) {
  if (state !== "talking") return;
  call.sound.key(key);
  send({ type: "key", key });
  const button = document.querySelector(`.key[data-key="${CSS.escape(key)}"]`);
  button.classList.add("down");
  setTimeout(() => button.classList.remove("down"), 150);
}

$("hook").addEventListener("click", hook);
$("wish").addEventListener("change", flows);
$("wish").addEventListener("submit", (event) => event.preventDefault());
$("mute").addEventListener("click", () => {
  const muted = $("mute").getAttribute("aria-pressed") !== "true";
  $("mute").setAttribute("aria-pressed", String(muted));
  if (call) call.sound.mute(muted);
});
for (const button of document.querySelectorAll(".key")) button.addEventListener("click", () => press(button.dataset.key));
document.addEventListener("keydown", (event) => {
  const typing = /INPUT|SELECT|TEXTAREA/.test(event.target.tagName);
  if (typing || event.repeat || event.ctrlKey || event.altKey || event.metaKey || !/^[0-9*#]$/.test(event.key)) return;
  press(event.key);
});
window.addEventListener("pagehide", () => { if (call && call.socket) call.socket.close(); });
stand("idle");
