// One dialog for every question a page asks: a title, a form, a button that does it, and cancel.

import { $, el, onSubmit } from "./dom.js";
import { t } from "./texts.js";

const dialog = el("dialog", { id: "dialog", "aria-labelledby": "dialog-title" });
document.body.append(dialog);
let asking = null; // the button that has opened it

// The focus goes back to the button that asked, or to the one that took its place.
dialog.addEventListener("close", () => {
  const key = asking?.dataset.key;
  (asking?.isConnected ? asking : key && $(`[data-key="${key}"]`))?.focus();
});

// `does` gets the form's values; when it fails the sentence stands in the form, which stays open.
export function ask(title, fields, { go = t("page.save"), bad = false, does }) {
  asking = document.activeElement;
  const form = el(
    "form",
    {},
    el("h2", { id: "dialog-title" }, title),
    ...fields,
    el("p", { class: "wrong", role: "alert", hidden: true }),
    el(
      "div",
      { class: "row" },
      el("button", { class: bad ? "bad" : "main" }, go),
      el("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, t("page.cancel")),
    ),
  );
  onSubmit(form, async (values) => {
    await does(values);
    dialog.close();
  });
  dialog.replaceChildren(form);
  dialog.showModal();
  return form;
}

// Is somebody sure? `text` says what will happen.
export function confirm(title, text, options) {
  return ask(title, [el("p", {}, text)], options);
}

export function field(name, text, control) {
  control.setAttribute("name", name);
  return el("label", {}, text, control);
}
