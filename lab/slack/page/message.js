// One message: who, when, what it says, its files, reactions and thread.

import { blocks, picture } from "./blocks.js";
import { h, icon } from "./dom.js";
import { emojiNode } from "./glyphs.js";
import { act } from "./net.js";
import { authorOf, person, shownName, state } from "./store.js";
import { link, mrkdwn } from "./text.js";

const NARROW = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
export const whenOf = (ts) => new Date(Number(ts.split(".")[0]) * 1000);
export const clockText = (ts) => whenOf(ts).toLocaleTimeString("en-GB", NARROW);

export function avatar(someone, size = "") {
  const initials = someone.real_name.split(/\s+/).slice(0, 2).map((word) => word[0]).join("").toUpperCase();
  const shape = someone.kind === "bot" ? "avatar app" : "avatar";
  return h("span", { class: `${shape} ${size}`, style: { background: `#${someone.color}` }, "aria-hidden": "true" }, initials);
}

// `openThread` is null inside the thread pane.
export function messageNode(message, { channel, grouped, openThread }) {
  const author = authorOf(message);
  const send = (block, one, value) => act("click", {
    channel, ts: message.ts, block_id: block.block_id, action_id: one.action_id, value,
  });
  const time = h("a", { class: "time", href: permalink(channel, message), title: whenOf(message.ts).toLocaleString("en-GB") }, clockText(message.ts));
  return h("article", {
    class: `message${grouped ? " grouped" : ""}${message.is_ephemeral ? " ephemeral" : ""}`,
    data: { qa: "message", ts: message.ts, user: message.user ?? "", ephemeral: message.is_ephemeral ? "true" : "false", thread: message.thread_ts ?? "" },
  },
  h("div", { class: "gutter" }, grouped ? time.cloneNode(true) : avatar(author)),
  h("div", { class: "body" },
    message.is_ephemeral && h("div", { class: "only-you" }, icon("eye"), "Only visible to you"),
    !grouped && h("div", { class: "who" }, h("b", {}, shownName(author)),
      message.bot_id && h("span", { class: "badge" }, "APP"),
      author.kind === "guest" && h("span", { class: "badge quiet" }, "GUEST"),
      author.kind === "stranger" && h("span", { class: "badge quiet" }, "EXTERNAL"), time),
    content(message, send),
    message.is_ephemeral && h("button", { type: "button", class: "dismiss", data: { qa: "dismiss" }, onclick: () => act("dismiss", { ts: message.ts }) }, "Dismiss message"),
    reactions(message), openThread && threadLine(message, openThread)),
  openThread && !message.is_ephemeral && h("div", { class: "hover-bar" },
    h("button", { type: "button", class: "plain", title: "Reply in thread", "aria-label": "Reply in thread", data: { qa: "reply-in-thread" }, onclick: () => openThread(message.thread_ts ?? message.ts) }, icon("reply"))));
}

const permalink = (channel, message) => `/archives/${channel}/p${message.ts.replace(".", "")}?as=${state.me}`;

function content(message, send) {
  const list = message.blocks ?? [];
  const kinds = new Set(list.map((block) => block.type));
  const isCard = kinds.has("header") || kinds.has("actions");
  const body = list.length ? blocks(list, send) : message.text ? h("div", { class: "rich" }, mrkdwn(message.text)) : [];
  return h("div", { class: isCard ? "text card" : "text", data: { qa: "message-text" } }, body,
    message.edited && h("span", { class: "edited" }, "(edited)"),
    (message.attachments ?? []).map((one) => attachment(one, send)),
    (message.files ?? []).map(file));
}

function attachment(one, send) {
  const colour = { good: "2f9e6b", warning: "d9a125", danger: "c8412f" }[one.color] ?? one.color?.replace("#", "") ?? "c9d0d8";
  return h("div", { class: "attachment", style: { borderColor: `#${colour}` } },
    one.pretext && h("div", {}, mrkdwn(one.pretext)),
    one.author_name && h("small", {}, one.author_name),
    one.title && h("b", {}, one.title_link ? link(one.title_link, one.title) : one.title),
    one.text && h("div", {}, mrkdwn(one.text)),
    one.fields && h("div", { class: "fields" }, one.fields.map((field) => h("div", { class: "field" }, h("b", {}, field.title), h("br"), mrkdwn(String(field.value ?? ""))))),
    one.blocks && blocks(one.blocks, send),
    one.image_url && picture(one.image_url, one.fallback ?? "", null),
    one.footer && h("small", {}, one.footer));
}

const sizeText = (bytes) => (bytes < 1024 ? `${bytes} B` : bytes < 1048576 ? `${Math.round(bytes / 1024)} kB` : `${(bytes / 1048576).toFixed(1)} MB`);

function file(one) {
  const url = `/files-pri/${state.team.id}-${one.id}/${encodeURIComponent(one.name)}?as=${state.me}`;
  const data = { qa: "file", fileId: one.id };
  if (one.mimetype?.startsWith("image/")) {
    return h("div", { class: "file image", data }, picture(url, one.alt_txt ?? one.title, h("span", {}, one.title, h("small", {}, ` · ${sizeText(one.size)}`)), [one.original_w, one.original_h]));
  }
  return h("a", { class: "file", data, href: `${url}&download=1`, download: one.name }, icon("file"),
    h("span", {}, h("b", {}, one.title), h("small", {}, `${one.pretty_type || "File"} · ${sizeText(one.size)}`)));
}

function reactions(message) {
  if (!message.reactions?.length) return null;
  return h("div", { class: "reactions" }, message.reactions.map((one) => h("span", {
    class: one.users.includes(state.me) ? "reaction mine" : "reaction", data: { qa: "reaction", name: one.name, count: one.count },
    title: one.users.map((id) => person(id).name).join(", "),
  }, emojiNode(one.name), h("b", {}, String(one.count)))));
}

function threadLine(message, openThread) {
  if (!message.reply_count) return null;
  const words = message.reply_count === 1 ? "1 reply" : `${message.reply_count} replies`;
  return h("button", { type: "button", class: "thread-line", data: { qa: "thread-reply-count", count: message.reply_count }, onclick: () => openThread(message.ts) },
    h("span", { class: "faces" }, message.reply_users.slice(0, 4).map((id) => avatar(person(id), "tiny"))),
    h("b", {}, words), h("span", { class: "quiet" }, `last at ${clockText(message.latest_reply)}`));
}
