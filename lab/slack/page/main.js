// Start of the page: load the state, listen for changes, draw. `body[data-seq]` is the last change drawn.

import { composer } from "./composer.js";
import { byId, fill, h, icon } from "./dom.js";
import { toggleDrawer } from "./drawer.js";
import { renderList } from "./list.js";
import { renderModals } from "./modals.js";
import { act, listen, loadState, viewer } from "./net.js";
import { renderSidebar } from "./sidebar.js";
import { allOf, channelNow, isMember, person, shownName, state, takePush, takeSnapshot, threadOf, topLevel, unread } from "./store.js";

const DEFAULT_PERSON = "ann";
const main = composer({ inThread: false });
const side = composer({ inThread: true });
let waiting = [];
let loading = false;
let drawn = 0;
let target = "";

function wantedPlace() {
  const [channel, thread] = decodeURIComponent(location.hash.slice(1)).split("/");
  if (state.channels.has(channel)) return { channel, thread: thread ?? "" };
  const path = /^\/archives\/(\w+)(?:\/p(\d+)(\d{6}))?/.exec(location.pathname);
  if (path && state.channels.has(path[1])) return fromPermalink(path);
  const open = [...state.channels.values()].filter((one) => !one.is_im && !one.is_archived && isMember(one));
  const withApp = open.find((one) => one.members.includes(state.app.user));
  return { channel: (withApp ?? open[0] ?? [...state.channels.values()][0])?.id ?? "", thread: "" };
}

function fromPermalink([, channel, seconds, micros]) {
  target = seconds ? `${seconds}.${micros}` : "";
  const message = seconds && state.messages.get(channel)?.get(`${seconds}.${micros}`);
  const root = message?.thread_ts;
  return { channel, thread: root && root !== message.ts ? root : "" };
}

function openChannel(channel) { go(channel, ""); main.focus(); }
function openThread(ts) { go(state.channel, ts); side.focus(); }

function go(channel, thread) {
  document.body.classList.remove("sidebar-open");
  location.hash = thread ? `${channel}/${thread}` : channel;
}

function goHere() {
  const place = wantedPlace();
  if (place.channel !== state.channel) state.newLine[place.channel] = state.channels.get(place.channel)?.last_read ?? "0";
  Object.assign(state, place);
  draw();
}

function markRead() {
  const channel = channelNow();
  if (!channel || document.hidden || unread(channel).count === 0) return;
  channel.last_read = allOf(channel.id).at(-1)?.ts ?? "0";
  act("read", { channel: channel.id });
}

// A permalink was opened: show its message once.
function jump() {
  const node = target && document.querySelector(`[data-qa="message"][data-ts="${target}"]`);
  if (!node) return;
  target = "";
  node.scrollIntoView({ block: "center" });
  node.classList.add("found");
}

function drawHead() {
  const channel = channelNow();
  if (!channel) return;
  const title = channel.is_im ? shownName(person(channel.members.find((id) => id !== state.me))) : channel.name;
  document.title = `${channel.is_im ? title : `#${title}`} — ${state.team.name}, lab workspace`;
  fill(byId("channel-head"),
    h("button", { type: "button", class: "plain menu-button", "aria-label": "Channels", onclick: () => document.body.classList.toggle("sidebar-open") }, icon("menu")),
    h("h1", {}, !channel.is_im && icon(channel.is_private ? "lock" : "hash"), title),
    h("span", { class: "topic" }, channel.topic),
    h("span", { class: "members", title: channel.members.map((id) => person(id).name).join(", ") }, icon("people"), String(channel.members.length)),
    !isMember(channel) && !channel.is_archived && h("button", { type: "button", class: "button primary", data: { qa: "join" }, onclick: () => act("join", { channel: channel.id }) }, "Join"));
}

function welcome(channel) {
  if (channel.is_im) return null;
  return h("div", { class: "welcome" }, h("h2", {}, `#${channel.name}`), h("p", {}, channel.topic ? `${channel.topic}. ` : "", "This is the very beginning of the channel."));
}

let lead = { channel: "", node: null };
function draw() {
  const channel = channelNow();
  if (!channel) return;
  if (lead.channel !== channel.id) lead = { channel: channel.id, node: welcome(channel) };
  renderSidebar({ openChannel, toggleDrawer });
  drawHead();
  renderList(byId("messages"), topLevel(channel.id), { channel: channel.id, openThread, newAfter: state.newLine[channel.id], lead: lead.node });
  main.refresh();
  drawThread(channel);
  renderModals();
  jump();
  markRead();
  document.body.dataset.seq = String(state.seq);
  document.body.dataset.uiReady = "1";
}

const threadList = h("div", { class: "thread-list", role: "log", "aria-live": "polite", tabindex: "0" });
const threadPlace = h("small", {});
byId("thread").append(
  h("header", {}, h("h2", {}, "Thread"), threadPlace, h("button", { type: "button", class: "plain", "aria-label": "Close thread", data: { qa: "thread-close" }, onclick: () => go(state.channel, "") }, icon("close"))),
  threadList, side.node);
byId("composer").append(main.node);

function drawThread(channel) {
  const messages = state.thread ? threadOf(channel.id, state.thread) : [];
  const open = messages.length > 0;
  byId("thread").hidden = !open;
  byId("thread").dataset.ts = state.thread;
  document.body.classList.toggle("thread-open", open);
  if (!open) return;
  threadPlace.textContent = channel.name ? `#${channel.name}` : "";
  renderList(threadList, messages, { channel: `${channel.id}`, openThread: null, newAfter: null, lead: null, isThread: true });
  if (threadList.dataset.thread !== state.thread) threadList.scrollTop = threadList.scrollHeight;
  threadList.dataset.thread = state.thread;
  side.refresh();
}

// Pushes come in bursts: one drawing per frame is enough.
function soon() {
  cancelAnimationFrame(drawn);
  drawn = requestAnimationFrame(draw);
  // A hidden window gets no frames, but its title and state must go on.
  if (document.hidden) draw();
}

async function reload() {
  loading = true;
  takeSnapshot(await loadState());
  loading = false;
  const held = waiting;
  waiting = [];
  const place = wantedPlace();
  if (!state.channel || !state.channels.has(state.channel)) goHere();
  else Object.assign(state, place);
  held.forEach(receive);
  draw();
}

function receive(push) {
  if (push.kind === "hello") { toast(""); reload(); return; }
  if (loading) { waiting.push(push); return; }
  if (push.kind === "notice") toast(push.text);
  if (push.kind === "connections") state.connections = push.count;
  if (push.kind === "reset") { state.messages.clear(); }
  if (takePush(push)) reload();
  else soon();
}

function toast(text) {
  const frame = byId("toasts");
  frame.replaceChildren();
  if (text) frame.append(h("div", { class: "toast", data: { qa: "toast" } }, icon("warn"), h("span", {}, text), h("button", { type: "button", class: "plain", "aria-label": "Dismiss", onclick: () => toast("") }, icon("close"))));
}

if (!viewer()) {
  const query = new URLSearchParams(location.search);
  query.set("as", DEFAULT_PERSON);
  history.replaceState(null, "", `${location.pathname}?${query}${location.hash}`);
}
addEventListener("hashchange", goHere);
addEventListener("visibilitychange", () => { if (state.channel) draw(); });
addEventListener("keydown", (event) => { if (event.key === "Escape" && state.thread && !document.querySelector("dialog[open]")) go(state.channel, ""); });
listen(receive, () => toast("The connection to the lab workspace is lost; trying again…"));
