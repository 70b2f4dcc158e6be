// Interactive elements. A click shows a spinner until the app has acked, and a warning when it did not in 3 s.

import { confirmWith } from "./dialogs.js";
import { h, icon } from "./dom.js";
import { textObject } from "./text.js";
import { state } from "./store.js";

// `send(element, value)` does the act and resolves to its answer.
export function element(block, one, send) {
  const build = BUILDERS[one.type] ?? unbuilt;
  const node = build(one, async (value) => {
    if (one.confirm && !(await confirmWith(one.confirm))) return;
    mark(node, "pending");
    const answer = await send(block, one, value);
    mark(node, answer.ok ? "idle" : "failed", answer.sentence);
  });
  node.dataset.qa = "element";
  node.dataset.actionId = one.action_id ?? "";
  node.dataset.type = one.type;
  node.dataset.state = "idle";
  return node;
}

function mark(node, now, sentence = "") {
  node.dataset.state = now;
  node.title = now === "failed" ? sentence : "";
  node.toggleAttribute("aria-busy", now === "pending");
}

function button(one, act) {
  const words = h("span", { class: "words" }, textObject(one.text));
  const node = h("button", {
    type: "button", class: `button ${one.style ?? ""}`, "aria-label": one.accessibility_label,
    onclick: () => {
      if (node.dataset.state === "pending") return;
      if (one.url) window.open(one.url, "_blank", "noopener");
      act();
    },
  }, words, h("span", { class: "spin" }), h("span", { class: "failed-mark" }, icon("warn")));
  return node;
}

function options(one, chosen) {
  const entry = (option) => h("option", { value: option.value, selected: chosen === option.value }, option.text.text);
  if (!one.option_groups) return one.options.map(entry);
  return one.option_groups.map((group) => h("optgroup", { label: group.label.text }, group.options.map(entry)));
}

function select(one, act) {
  const initial = one.initial_option?.value;
  const menu = h("select", { onchange: () => act(menu.value), "aria-label": one.placeholder?.text ?? "Choose" },
    h("option", { value: "", disabled: true, selected: !initial }, one.placeholder?.text ?? "Choose…"), options(one, initial));
  return h("span", { class: "select" }, menu);
}

function choices(kind) {
  return (one, act) => {
    const initial = new Set([one.initial_option, ...(one.initial_options ?? [])].filter(Boolean).map((o) => o.value));
    const name = `choice-${Math.random().toString(36).slice(2)}`;
    const box = h("div", { class: "choices", role: kind === "radio" ? "radiogroup" : "group" });
    const chosen = () => [...box.querySelectorAll("input:checked")].map((input) => input.value);
    box.append(...one.options.map((option) => h("label", { class: "choice", data: { qa: "option", value: option.value } },
      h("input", { type: kind, name, value: option.value, checked: initial.has(option.value),
        onchange: () => act(kind === "radio" ? chosen()[0] : chosen()) }),
      h("span", {}, textObject(option.text), option.description && h("small", {}, textObject(option.description))))));
    return box;
  };
}

function overflow(one, act) {
  const menu = h("select", { class: "overflow", "aria-label": "More", onchange: () => { act(menu.value); menu.value = ""; } },
    h("option", { value: "", selected: true }, "⋯"), options(one));
  return h("span", { class: "select small" }, menu);
}

function people(one, act) {
  const menu = h("select", { onchange: () => act(menu.value), "aria-label": one.placeholder?.text ?? "Choose a person" },
    h("option", { value: "", disabled: true, selected: !one.initial_user }, one.placeholder?.text ?? "Choose a person…"),
    [...state.people.values()].filter((p) => !p.deleted).map((p) => h("option", { value: p.id, selected: p.id === one.initial_user }, p.real_name)));
  return h("span", { class: "select" }, menu);
}

function field(type) {
  return (one, act) => h("input", { type, value: one.initial_date ?? one.initial_time ?? one.initial_value ?? "", onchange: (event) => act(event.target.value) });
}

function unbuilt(one) {
  return h("span", { class: "unbuilt" }, `the lab does not show a ${one.type} yet`);
}

const BUILDERS = {
  button, overflow, static_select: select, users_select: people,
  radio_buttons: choices("radio"), checkboxes: choices("checkbox"),
  datepicker: field("date"), timepicker: field("time"),
};

// Inputs of a modal, with the value that the person gave, or null when untouched.
export function input(one, value) {
  const node = buildInput(one, value);
  node.dataset.actionId = one.action_id;
  node.dataset.type = one.type;
  return node;
}

function buildInput(one, value) {
  const initial = value ?? one.initial_value ?? "";
  const hint = one.placeholder?.text ?? "";
  if (one.type === "plain_text_input" && one.multiline) {
    return h("textarea", { rows: "4", placeholder: hint, maxlength: String(one.max_length ?? 3000) }, initial);
  }
  if (one.type in TYPED) {
    return h("input", { type: TYPED[one.type], placeholder: hint, maxlength: String(one.max_length ?? 3000), value: initial,
      step: one.is_decimal_allowed ? "any" : null });
  }
  const chosen = Array.isArray(value) ? value : value ? [value] : null;
  const all = one.options ?? (one.option_groups ?? []).flatMap((group) => group.options);
  const picked = chosen && all.filter((option) => chosen.includes(option.value));
  const seeded = picked ? { ...one, initial_option: picked[0], initial_options: picked } : one;
  return (BUILDERS[one.type] ?? unbuilt)(seeded, () => {});
}

const TYPED = {
  plain_text_input: "text", email_text_input: "email", url_text_input: "url", number_input: "number",
  datepicker: "date", timepicker: "time",
};

export function valueOf(node) {
  if (node.matches("input, textarea")) return node.value || null;
  const menu = node.querySelector("select");
  if (menu) return menu.value || null;
  const checked = [...node.querySelectorAll("input:checked")].map((one) => one.value);
  return node.dataset.type === "checkboxes" ? checked : checked[0] ?? null;
}
