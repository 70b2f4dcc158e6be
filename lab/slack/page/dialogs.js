// The confirm dialog of an element. The browser's own dialog keeps the focus inside and gives it back.

import { h } from "./dom.js";
import { textObject } from "./text.js";

export function confirmWith(confirm) {
  return new Promise((resolve) => {
    const done = (answer) => { dialog.close(); dialog.remove(); resolve(answer); };
    const dialog = h("dialog", { class: "dialog", data: { qa: "confirm-dialog" }, oncancel: (event) => { event.preventDefault(); done(false); } },
      h("h2", {}, textObject(confirm.title)),
      h("div", { class: "dialog-body" }, textObject(confirm.text)),
      h("div", { class: "dialog-foot" },
        h("button", { type: "button", class: "button", data: { qa: "confirm-deny" }, onclick: () => done(false) }, textObject(confirm.deny)),
        h("button", { type: "button", class: `button ${confirm.style === "danger" ? "danger" : "primary"}`, data: { qa: "confirm-ok" }, onclick: () => done(true) }, textObject(confirm.confirm))));
    document.body.append(dialog);
    dialog.showModal();
  });
}
