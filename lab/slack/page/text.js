// Slack's mrkdwn as DOM: styles, code, quotes, links, mentions, dates. Nothing here builds markup from strings.

import { h } from "./dom.js";
import { emojiNode, withEmoji, withGlyphs } from "./glyphs.js";
import { person, state } from "./store.js";

const RUNS = new RegExp([
  "(?<code>`[^`\\n]+`)",
  "<@(?<user>[UW]\\w+)(?:\\|[^>]*)?>",
  "<#(?<channel>C\\w+)(?:\\|(?<channelName>[^>]*))?>",
  "<!subteam\\^(?<group>S\\w+)(?:\\|[^>]*)?>",
  "<!date\\^(?<date>\\d+)\\^(?<format>[^|^>]+)(?:\\^[^|>]+)?\\|(?<fallback>[^>]*)>",
  "<!(?<range>here|channel|everyone)(?:\\|[^>]*)?>",
  "<(?<url>(?:https?|mailto|tel):[^|>]+)(?:\\|(?<label>[^>]*))?>",
  ":(?<emoji>[a-z0-9_+'-]+):",
  "(?<bar>[█▓▒░]{4,})",
  "(?<![\\w*])\\*(?<bold>[^*\\n]*[^*\\s])\\*(?![\\w*])",
  "(?<![\\w_])_(?<italic>[^_\\n]*[^_\\s])_(?![\\w_])",
  "(?<![\\w~])~(?<strike>[^~\\n]*[^~\\s])~(?![\\w~])",
].join("|"), "g");

export const unescape = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

export function mrkdwn(text) {
  const parts = text.split(/```\n?([\s\S]*?)\n?```/);
  return parts.flatMap((part, place) => (place % 2
    ? [h("pre", { class: "fence" }, unescape(part))]
    : paragraphs(place ? part.replace(/^\n/, "") : part)));
}

function paragraphs(text) {
  if (!text) return [];
  const out = [];
  let lines = [];
  let quoted = false;
  const flush = () => {
    if (!lines.length) return;
    const content = lines.flatMap((line, place) => (place ? [h("br"), ...runs(line)] : runs(line)));
    out.push(quoted ? h("blockquote", {}, content) : h("span", { class: "run" }, content));
    lines = [];
  };
  for (const line of text.split("\n")) {
    const isQuote = /^(&gt;|>)/.test(line);
    if (isQuote !== quoted) flush();
    // A quote is a box of its own: the line after it needs no break.
    quoted = isQuote;
    lines.push(isQuote ? line.replace(/^(&gt;|>) ?/, "") : line);
  }
  flush();
  return out;
}

export function runs(text) {
  const out = [];
  let place = 0;
  for (const found of text.matchAll(RUNS)) {
    if (found.index > place) out.push(...withGlyphs(unescape(text.slice(place, found.index))));
    out.push(token(found.groups, found[0]));
    place = found.index + found[0].length;
  }
  if (place < text.length) out.push(...withGlyphs(unescape(text.slice(place))));
  return out;
}

function token(found, whole) {
  if (found.code) return codeNode(unescape(found.code.slice(1, -1)));
  if (found.bold) return h("b", {}, runs(found.bold));
  if (found.italic) return h("i", {}, runs(found.italic));
  if (found.strike) return h("s", {}, runs(found.strike));
  if (found.user) return mention(found.user);
  if (found.channel) return channelLink(found.channel, found.channelName);
  if (found.group) return h("span", { class: "mention" }, `@${state.groups.get(found.group)?.handle ?? found.group}`);
  if (found.range) return h("span", { class: "mention me" }, `@${found.range}`);
  if (found.date) return h("time", {}, dateText(Number(found.date), found.format, found.fallback));
  if (found.url) return link(unescape(found.url), found.label && unescape(found.label));
  if (found.bar) return barNode(found.bar);
  return found.emoji ? emojiNode(found.emoji) : whole;
}

// A bar written in shaded blocks is drawn: fonts disagree about these letters. Its text stays for reading aloud.
function barNode(text) {
  const full = [...text].filter((letter) => "█▓".includes(letter)).length;
  return h("span", { class: "bar", style: { backgroundSize: `${(100 * full) / text.length}% 100%` } }, text);
}

// Code made of nothing but bar characters is a progress bar.
export const codeNode = (text) => h("code", { class: /^[█▓▒░■□▰▱▉▊▋▌▍▎▏━─ ]{4,}$/.test(text) ? "bar" : null }, text);

export const mention = (id) => h("span", { class: id === state.me ? "mention me" : "mention", title: person(id).role }, `@${person(id).name}`);

export function channelLink(id, name) {
  const label = `#${state.channels.get(id)?.name ?? (name || id)}`;
  return state.channels.has(id) ? h("a", { class: "mention", href: `#${id}` }, label) : h("span", { class: "mention" }, label);
}

export function link(url, label) {
  const safe = /^(https?|mailto|tel):/.test(url);
  return safe ? h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label || url) : label || url;
}

const TOKENS = {
  date_num: { year: "numeric", month: "2-digit", day: "2-digit" },
  date: { year: "numeric", month: "long", day: "numeric" },
  date_short: { year: "numeric", month: "short", day: "numeric" },
  date_long: { weekday: "long", year: "numeric", month: "long", day: "numeric" },
  time: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  time_secs: { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
};

const DAYS = ["yesterday", "today", "tomorrow"];
const nearDay = (when) => DAYS.find((_, place) => new Date(Date.now() + (place - 1) * 86_400_000).toDateString() === when.toDateString());

function dateText(seconds, format, fallback) {
  const when = new Date(seconds * 1000);
  const text = format.replace(/\{(\w+)\}/g, (whole, name) => {
    if (name.endsWith("_pretty") && nearDay(when)) return nearDay(when);
    const options = TOKENS[name.replace(/_pretty$/, "")];
    return options ? when.toLocaleString("en-GB", options) : whole;
  });
  return text.includes("{") ? fallback : text;
}

// A text object of Block Kit: mrkdwn is styled, plain_text is shown as it is but for emoji.
export function textObject(text) {
  if (!text) return [];
  if (text.type === "mrkdwn") return mrkdwn(text.text);
  const line = text.emoji === false ? (words) => [words] : withEmoji;
  return text.text.split("\n").flatMap((words, place) => (place ? [h("br"), ...line(words)] : line(words)));
}
