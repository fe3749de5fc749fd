// The page's dialog: a title, a form, a submit button and cancel.

import { $, el, onSubmit, toast } from "./dom.js";
import { keepForm } from "./kept.js";
import { t } from "./texts.js";

const dialog = el("dialog", { id: "dialog", "aria-labelledby": "dialog-title" });
document.body.append(dialog);
let opener = null; // the button that has opened the dialog

// The focus returns to the opener, to the button that replaced it, or to the page's content.
dialog.addEventListener("close", () => {
  const key = opener?.dataset.key;
  const replaced = key && $(`[data-key="${CSS.escape(key)}"]`);
  (opener?.isConnected ? opener : replaced || $("#content")).focus();
});

// `does` gets the form's values; if it throws, the form shows the message and stays open. Afterwards `next` gets
// the focus, if it is given. With a key `keeps` what is typed is kept in this window until it is saved or cancelled.
export function ask(title, fields, { go = t("page.save"), bad = false, next = null, keeps = "", does }) {
  opener = document.activeElement;
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
      el("button", { type: "button", class: "quiet", onclick: cancel }, t("page.cancel")),
    ),
  );
  const draft = keeps ? keepForm(form, () => keeps) : null;
  draft?.bring();
  function cancel() {
    draft?.drop();
    dialog.close();
  }
  const isShown = () => dialog.open && form.isConnected; // it may be closed before the answer comes
  onSubmit(form, async (values) => {
    try {
      await does(values);
    } catch (error) {
      if (!isShown()) toast(error.message, "bad");
      throw error;
    }
    draft?.drop();
    if (!isShown()) return;
    opener = next ?? opener;
    dialog.close();
  });
  dialog.replaceChildren(form);
  dialog.showModal();
  return form;
}

// Where the focus goes if the opener is gone when the dialog closes; nothing outside it has the focus until then.
export function focusAfterwards(find) {
  dialog.addEventListener("close", () => find().focus(), { once: true });
}

// Asks the user to confirm; `text` says what will happen.
export function confirm(title, text, options) {
  return ask(title, [el("p", {}, text)], options);
}

export function field(name, text, control) {
  control.setAttribute("name", name);
  return el("label", {}, text, control);
}
