// One dialog for every question the floor asks: a title, a form, save or cancel.

import { $, el, onSubmit } from "../dom.js";
import { t } from "../texts.js";

const dialog = $("#dialog");
let back = null;

// The focus goes back to the button that asked, or to the one that took its place.
dialog.addEventListener("close", () => {
  const key = back?.dataset.key;
  (back?.isConnected ? back : key && $(`[data-key="${key}"]`))?.focus();
});

// `does` gets the form's values; when it fails the sentence stands in the form, which stays open.
export function ask(title, fields, { go = t("page.save"), bad = false, does }) {
  back = document.activeElement;
  const form = el("form", {},
    el("h2", { id: "dialog-title" }, title), ...fields,
    el("p", { class: "wrong", role: "alert", hidden: true }),
    el("div", { class: "row" },
      el("button", { class: bad ? "bad" : "main" }, go),
      el("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, t("page.cancel"))));
  onSubmit(form, async (values) => {
    await does(values);
    dialog.close();
  });
  dialog.replaceChildren(form);
  dialog.showModal();
  return form;
}

export function field(name, text, control) {
  control.setAttribute("name", name);
  return el("label", {}, text, control);
}

