// A list of messages that changes only where a message changed, groups neighbours, and follows its end.

import { h } from "./dom.js";
import { messageNode, whenOf } from "./message.js";
import { state } from "./store.js";

const GROUP_SECONDS = 300;
const NEAR_END_PIXELS = 90;
const held = new WeakMap();

export function renderList(frame, messages, { channel, openThread, newAfter, lead, isThread }) {
  const known = held.get(frame) ?? new Map();
  const following = frame.dataset.shown !== channel || frame.scrollHeight - frame.scrollTop - frame.clientHeight < NEAR_END_PIXELS;
  const fresh = new Map();
  const nodes = lead ? [lead] : [];
  let before = null;
  let marked = false;
  for (const message of messages) {
    if (!isThread && (!before || day(before.ts) !== day(message.ts))) nodes.push(dayLine(message.ts));
    if (newAfter && !marked && message.ts > newAfter && message.user !== state.me) {
      marked = true;
      if (before) nodes.push(h("div", { class: "new-line", data: { qa: "new-line" } }, h("span", {}, "New")));
    }
    if (isThread && before && before.ts === messages[0].ts) nodes.push(repliesLine(messages.length - 1));
    const grouped = !(isThread && before?.ts === messages[0].ts) && belongTogether(before, message);
    const signature = JSON.stringify([message, grouped, state.me, channel]);
    const old = known.get(message.ts);
    const entry = old?.signature === signature ? old : { signature, node: messageNode(message, { channel, grouped, openThread }) };
    fresh.set(message.ts, entry);
    nodes.push(entry.node);
    before = message;
  }
  held.set(frame, fresh);
  if (!frame.dataset.follows) follow(frame);
  place(frame, nodes);
  frame.dataset.shown = channel;
  if (following) frame.scrollTop = frame.scrollHeight;
}

// A picture that arrives late makes the list longer: stay at the end if the reader was there.
function follow(frame) {
  frame.dataset.follows = "1";
  let atEnd = true;
  frame.addEventListener("scroll", () => { atEnd = frame.scrollHeight - frame.scrollTop - frame.clientHeight < NEAR_END_PIXELS; });
  frame.addEventListener("load", () => { if (atEnd) frame.scrollTop = frame.scrollHeight; }, true);
  new ResizeObserver(() => { if (atEnd) frame.scrollTop = frame.scrollHeight; }).observe(frame);
}

// Moves nothing that stands where it should: a node that is put again loses focus and selection.
function place(frame, nodes) {
  nodes.forEach((node, position) => {
    if (frame.children[position] !== node) frame.insertBefore(node, frame.children[position] ?? null);
  });
  while (frame.children.length > nodes.length) frame.lastElementChild.remove();
}

const day = (ts) => whenOf(ts).toDateString();

function dayLine(ts) {
  const today = new Date().toDateString();
  const yesterday = new Date(Date.now() - 86_400_000).toDateString();
  const words = day(ts) === today ? "Today" : day(ts) === yesterday ? "Yesterday"
    : whenOf(ts).toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long" });
  return h("div", { class: "day-line" }, h("span", {}, words));
}

const repliesLine = (count) => h("div", { class: "replies-line" }, h("span", {}, count === 1 ? "1 reply" : `${count} replies`));

function belongTogether(before, message) {
  return Boolean(before) && before.user === message.user && before.username === message.username
    && !message.is_ephemeral && !before.is_ephemeral && !before.reply_count && before.subtype !== "tombstone"
    && day(before.ts) === day(message.ts) && Number(message.ts) - Number(before.ts) < GROUP_SECONDS;
}
