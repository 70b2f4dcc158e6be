// rich_text blocks: sections, lists, quotes and code, with styled runs.

import { h } from "./dom.js";
import { emojiNode, withGlyphs } from "./glyphs.js";
import { channelLink, codeNode, link, mention } from "./text.js";
import { state } from "./store.js";

const PARTS = {
  rich_text_section: (part) => h("div", { class: "rich" }, part.elements.map(run)),
  rich_text_quote: (part) => h("blockquote", {}, part.elements.map(run)),
  rich_text_preformatted: (part) => h("pre", { class: "fence" }, part.elements.map((one) => one.text ?? one.url)),
  rich_text_list: (part) => h(part.style === "ordered" ? "ol" : "ul", {
    class: "rich-list", start: part.offset ? String(part.offset + 1) : null, style: { marginLeft: `${(part.indent ?? 0) * 20}px` },
  }, part.elements.map((item) => h("li", {}, item.elements.map(run)))),
};

export const richText = (block) => block.elements.map((part) => PARTS[part.type]?.(part));

const RUNS = {
  text: (one) => (one.style?.code ? [codeNode(one.text)]
    : one.text.split("\n").flatMap((line, place) => (place ? [h("br"), ...withGlyphs(line)] : withGlyphs(line)))),
  link: (one) => link(one.url, one.text),
  user: (one) => mention(one.user_id),
  channel: (one) => channelLink(one.channel_id),
  usergroup: (one) => h("span", { class: "mention" }, `@${state.groups.get(one.usergroup_id)?.handle ?? one.usergroup_id}`),
  broadcast: (one) => h("span", { class: "mention me" }, `@${one.range}`),
  emoji: (one) => emojiNode(one.name),
  date: (one) => h("time", {}, new Date(one.timestamp * 1000).toLocaleString("en-GB")),
  color: (one) => h("code", {}, one.value),
};
const STYLES = { bold: "b", italic: "i", strike: "s", underline: "u" };

function run(one) {
  let node = RUNS[one.type]?.(one) ?? one.text ?? "";
  for (const [style, tag] of Object.entries(STYLES)) if (one.style?.[style]) node = h(tag, {}, node);
  return node;
}
