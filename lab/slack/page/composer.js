// Where a person writes: Enter sends, Shift-Enter breaks the line, / @ # : offer what there is.

import { h, icon } from "./dom.js";
import { EMOJI } from "./emoji.js";
import { emojiNode } from "./glyphs.js";
import { act } from "./net.js";
import { channelNow, isMember, state } from "./store.js";

const MENU_MAX = 8;

export function composer({ inThread }) {
  const menu = h("div", { class: "menu", role: "listbox", hidden: true });
  const failure = h("div", { class: "failure", role: "alert", hidden: true });
  const text = h("textarea", { rows: "1", data: { qa: inThread ? "thread-composer" : "composer" }, spellcheck: "false" });
  const button = h("button", { type: "submit", class: "send", data: { qa: inThread ? "thread-send" : "send" }, "aria-label": "Send" }, icon("send"), h("span", { class: "spin" }));
  const form = h("form", { class: "composer-box", onsubmit: (event) => { event.preventDefault(); submit(); } }, text, button);
  const node = h("div", { class: "composer" }, failure, menu, form);
  const drafts = new Map();
  let choices = [];
  let chosen = 0;
  let shownFor = "";

  const where = () => `${state.channel} ${inThread ? state.thread : ""}`;

  function refresh() {
    const channel = channelNow();
    if (!channel) return;
    if (shownFor !== where()) {
      drafts.set(shownFor, text.value);
      shownFor = where();
      text.value = drafts.get(shownFor) ?? "";
      failure.hidden = true;
      grow();
    }
    const closed = channel.is_archived || !isMember(channel);
    text.disabled = channel.is_archived;
    text.placeholder = channel.is_archived ? "This channel is archived" : closed ? `You are not in #${channel.name}: join to write`
      : inThread ? "Reply…" : channel.is_im ? "Message" : `Message #${channel.name}`;
  }

  function fail(error, sentence) {
    failure.replaceChildren(icon("warn"), h("span", {}, sentence),
      h("button", { type: "button", class: "plain", "aria-label": "Dismiss", onclick: () => { failure.hidden = true; } }, icon("close")));
    failure.dataset.qa = "command-error";
    failure.dataset.error = error;
    failure.hidden = false;
  }

  async function submit() {
    const content = text.value.trim();
    if (!content || form.dataset.state === "pending") return;
    const isCommand = content.startsWith("/");
    form.dataset.state = "pending";
    failure.hidden = true;
    text.value = "";
    grow();
    offer();
    const answer = await act(isCommand ? "command" : "message", { channel: state.channel, text: content, thread_ts: inThread ? state.thread : undefined });
    form.dataset.state = "idle";
    if (answer.ok) return;
    fail(answer.error, answer.sentence);
    if (!text.value) text.value = content;
    grow();
  }

  function grow() {
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight, 200)}px`;
  }

  function offer() {
    const start = text.value.slice(0, text.selectionStart);
    choices = inThread && start.startsWith("/") ? [] : candidates(start);
    chosen = 0;
    draw();
  }

  function draw() {
    menu.hidden = choices.length === 0;
    menu.replaceChildren(...choices.map((choice, place) => h("button", {
      type: "button", role: "option", class: place === chosen ? "menu-item on" : "menu-item", "aria-selected": String(place === chosen),
      data: choice.command ? { qa: "slash-menu-item", command: choice.command } : { qa: "completion" },
      onmousedown: (event) => { event.preventDefault(); take(choice); },
    }, h("b", {}, choice.show), h("span", {}, choice.note))));
  }

  function take(choice) {
    const start = text.value.slice(0, text.selectionStart);
    const rest = text.value.slice(text.selectionStart);
    text.value = `${start.slice(0, start.length - choice.typed.length)}${choice.insert} ${rest}`;
    choices = [];
    draw();
    grow();
    text.focus();
  }

  function keydown(event) {
    if (choices.length && ["ArrowDown", "ArrowUp", "Tab", "Escape"].includes(event.key)) {
      event.preventDefault();
      if (event.key === "Tab") return take(choices[chosen]);
      if (event.key === "Escape") choices = [];
      else chosen = (chosen + (event.key === "ArrowDown" ? 1 : choices.length - 1)) % choices.length;
      return draw();
    }
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return undefined;
    event.preventDefault();
    const unfinished = choices.length && choices[chosen].insert !== choices[chosen].typed;
    return unfinished ? take(choices[chosen]) : submit();
  }

  text.addEventListener("keydown", keydown);
  text.addEventListener("input", () => { grow(); offer(); });
  text.addEventListener("blur", () => { choices = []; draw(); });
  return { node, refresh, focus: () => text.focus() };
}

function candidates(start) {
  if (/^\/\S*$/.test(start)) {
    return state.commands.filter((one) => one.command.startsWith(start)).map((one) => ({
      command: one.command, typed: start, insert: one.command, show: `${one.command} ${one.usage_hint}`, note: `${one.description} — ${state.app.name}`,
    }));
  }
  const found = /(?:^|\s)([@#:])([\w-]*)$/.exec(start);
  if (!found || (found[1] === ":" && found[2].length < 2)) return [];
  const typed = found[1] + found[2];
  return names(found[1], found[2].toLowerCase()).slice(0, MENU_MAX).map((one) => ({ ...one, typed }));
}

function names(sign, word) {
  if (sign === "#") {
    return [...state.channels.values()].filter((one) => !one.is_im && one.name.startsWith(word))
      .map((one) => ({ insert: `#${one.name}`, show: `#${one.name}`, note: one.topic }));
  }
  if (sign === ":") {
    return [...EMOJI.keys()].filter((name) => name.startsWith(word)).map((name) => ({ insert: `:${name}:`, show: emojiNode(name), note: `:${name}:` }));
  }
  const people = [...state.people.values()].filter((one) => !one.deleted && one.name.startsWith(word));
  const groups = [...state.groups.values()].filter((one) => one.handle.startsWith(word));
  return [...people.map((one) => ({ insert: `@${one.name}`, show: `@${one.name}`, note: `${one.real_name} · ${one.role}` })),
    ...groups.map((one) => ({ insert: `@${one.handle}`, show: `@${one.handle}`, note: one.name }))];
}
