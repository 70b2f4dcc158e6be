// Modals of the app: the top of the person's stack, with inputs, errors under them, and a banner when no ack came.

import { blocks } from "./blocks.js";
import { h, icon } from "./dom.js";
import { input, valueOf } from "./elements.js";
import { act } from "./net.js";
import { state } from "./store.js";
import { textObject } from "./text.js";

let shown = null;

export function renderModals() {
  const view = state.modals.at(-1);
  if (!view) return close();
  if (shown?.id === view.id && shown.hash === view.hash) return undefined;
  const kept = shown?.id === view.id ? values(shown.dialog) : {};
  close();
  const dialog = build(view, kept);
  document.body.append(dialog);
  dialog.showModal();
  const wanted = view.blocks.find((block) => block.element?.focus_on_load)?.element.action_id;
  (dialog.querySelector(wanted ? `[data-action-id="${CSS.escape(wanted)}"]` : "input, textarea, select") ?? dialog).focus();
  shown = { id: view.id, hash: view.hash, dialog };
  return undefined;
}

function close() {
  shown?.dialog.close();
  shown?.dialog.remove();
  shown = null;
}

function build(view, kept) {
  const dialog = h("dialog", {
    class: "dialog modal", data: { qa: "modal", viewId: view.id, callbackId: view.callback_id, depth: state.modals.length },
    oncancel: (event) => { event.preventDefault(); act("close", { view_id: view.id, all: true }); },
  });
  const form = h("form", { method: "dialog", novalidate: true, onsubmit: (event) => { event.preventDefault(); submit(view, dialog); } },
    h("header", { class: "modal-head" },
      state.modals.length > 1 && h("button", { type: "button", class: "plain", "aria-label": "Back", onclick: () => act("close", { view_id: view.id }) }, icon("back")),
      h("h2", {}, textObject(view.title)),
      h("button", { type: "button", class: "plain", data: { qa: "modal-x" }, "aria-label": "Close", onclick: () => act("close", { view_id: view.id, all: true }) }, icon("close"))),
    h("p", { class: "banner", role: "alert", hidden: true, data: { qa: "modal-banner" } }),
    h("div", { class: "modal-body" }, view.blocks.map((block) => (block.type === "input" ? inputBlock(view, block, kept) : blocks([block], sender(view, dialog))))),
    h("footer", { class: "dialog-foot" },
      h("button", { type: "button", class: "button", data: { qa: "modal-close" }, onclick: () => act("close", { view_id: view.id }) }, view.close ? textObject(view.close) : "Cancel"),
      view.submit && h("button", { type: "submit", class: "button primary", data: { qa: "modal-submit", state: "idle" } },
        h("span", { class: "words" }, textObject(view.submit)), h("span", { class: "spin" }))));
  dialog.append(form);
  return dialog;
}

function inputBlock(view, block, kept) {
  const one = block.element;
  const given = kept[block.block_id]?.[one.action_id] ?? stored(view, block);
  const control = input(one, given);
  control.dataset.input = block.block_id;
  if (block.dispatch_action) control.addEventListener("change", () => dispatch(view, block, control));
  return h("label", { class: "input-block", data: { qa: "modal-input", blockId: block.block_id } },
    h("span", { class: "input-label" }, textObject(block.label), block.optional && h("small", {}, " (optional)")),
    control,
    block.hint && h("small", { class: "hint" }, textObject(block.hint)),
    h("small", { class: "input-error", role: "alert", hidden: true, data: { qa: "modal-error", blockId: block.block_id } }));
}

function stored(view, block) {
  const held = view.state.values[block.block_id]?.[block.element.action_id] ?? {};
  if (held.selected_options) return held.selected_options.length ? held.selected_options.map((option) => option.value) : null;
  return held.selected_option?.value ?? held.value ?? held.selected_user ?? held.selected_date ?? held.selected_time ?? null;
}

function values(dialog) {
  const found = {};
  for (const control of dialog.querySelectorAll("[data-input]")) {
    const value = valueOf(control);
    if (value !== null) (found[control.dataset.input] ??= {})[control.dataset.actionId] = value;
  }
  return found;
}

const sender = (view, dialog) => (block, one, value) => act("view_action", {
  view_id: view.id, block_id: block.block_id, action_id: one.action_id, value, values: values(dialog),
});

const dispatch = (view, block, control) => act("view_action", {
  view_id: view.id, block_id: block.block_id, action_id: block.element.action_id, value: valueOf(control),
});

async function submit(view, dialog) {
  const button = dialog.querySelector("[data-qa=modal-submit]");
  if (!button || button.dataset.state === "pending") return;
  button.dataset.state = "pending";
  showErrors(dialog, {}, "");
  const answer = await act("submit", { view_id: view.id, values: values(dialog) });
  button.dataset.state = "idle";
  if (!answer.ok) showErrors(dialog, answer.errors ?? {}, answer.sentence ?? "");
}

function showErrors(dialog, errors, sentence) {
  const banner = dialog.querySelector("[data-qa=modal-banner]");
  banner.hidden = !sentence;
  banner.textContent = sentence;
  for (const slot of dialog.querySelectorAll("[data-qa=modal-error]")) {
    const text = errors[slot.dataset.blockId];
    slot.hidden = !text;
    slot.textContent = text ?? "";
    slot.parentElement.classList.toggle("wrong", Boolean(text));
  }
}
