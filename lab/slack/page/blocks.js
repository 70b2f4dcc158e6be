// Block Kit blocks as DOM. A block the lab does not show says so in words.

import { chart } from "./chart.js";
import { h, icon } from "./dom.js";
import { element } from "./elements.js";
import { withGlyphs } from "./glyphs.js";
import { richText } from "./rich.js";
import { mrkdwn, textObject } from "./text.js";
import { state } from "./store.js";

export function blocks(list, send) {
  return list.map((block) => {
    const content = (BLOCKS[block.type] ?? unbuilt)(block, send);
    return h("div", { class: `block ${block.type}`, data: { qa: "block", blockId: block.block_id, type: block.type } }, content);
  });
}

const fileUrl = (id) => `/files-pri/${state.team.id}-${id}/picture?as=${state.me}`;
const source = (one) => one.image_url ?? (one.slack_file?.id ? fileUrl(one.slack_file.id) : one.slack_file?.url);

function section(block, send) {
  const words = h("div", { class: "section-words" },
    block.text && h("div", { class: "section-text" }, textObject(block.text)),
    block.fields && h("div", { class: "fields" }, block.fields.map((field) => h("div", { class: "field" }, textObject(field)))));
  return [words, block.accessory && h("div", { class: "accessory" }, accessory(block, send))];
}

function accessory(block, send) {
  const one = block.accessory;
  return one.type === "image" ? h("img", { class: "thumb", src: source(one), alt: one.alt_text }) : element(block, one, send);
}

function context(block) {
  return block.elements.map((one) => (one.type === "image"
    ? h("img", { class: "context-image", src: source(one), alt: one.alt_text })
    : h("span", {}, textObject(one))));
}

function table(block) {
  const align = (place) => block.column_settings?.[place]?.align ?? "left";
  const cell = (one, place, tag) => h(tag, { style: { textAlign: align(place) } },
    one.type === "rich_text" ? richText(one) : withGlyphs(String(one.text ?? one.value)));
  const [head, ...rows] = block.rows;
  return h("div", { class: "table-frame" }, h("table", {}, h("thead", {}, h("tr", {}, head.map((one, place) => cell(one, place, "th")))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((one, place) => cell(one, place, "td")))))));
}

export function picture(url, alt, title, size) {
  return h("figure", {}, title && h("figcaption", {}, title),
    h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, h("img", { class: "picture", src: url, alt, width: size?.[0] ? String(size[0]) : null, height: size?.[1] ? String(size[1]) : null })));
}

// Standard Markdown, as far as bots use it in messages.
function markdown(block) {
  const lines = block.text
    .replace(/\*\*([^*\n]+)\*\*/g, "*$1*")
    .replace(/\[([^\]]+)\]\((https?:[^)\s]+)\)/g, "<$2|$1>")
    .split("\n").map((line) => line.replace(/^#{1,6}\s+(.*)$/, "*$1*").replace(/^\s*[-*]\s+/, "•  "));
  return mrkdwn(lines.join("\n"));
}

const unbuilt = (block) => h("p", { class: "unbuilt" }, icon("warn"), ` The lab does not show a ${block.type} block yet.`);

const BLOCKS = {
  section, context, table, markdown,
  header: (block) => h("h3", {}, textObject(block.text)),
  divider: () => h("hr"),
  image: (block) => picture(source(block), block.alt_text, block.title?.text),
  actions: (block, send) => block.elements.map((one) => element(block, one, send)),
  rich_text: richText,
  data_visualization: chart,
};
