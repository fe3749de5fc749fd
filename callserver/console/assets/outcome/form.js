// The form of one outcome: its fields, reading back, and saving, in a call and in a correction. When the
// seat changes, only the buttons are redrawn: the fields keep what is being typed.

import { el, oneAtATime, show } from "../dom.js";
import { t } from "../texts.js";
import { fields, sentences } from "./fields.js";

// `ways`: { buttons: [{ name, words, agreed, does(draft) }], hint, note }: the ways to save it, the usual
// one first, and hints about them; `agreed` is the text of the button after an agreement was read back.
// `settled()` resolves when all earlier requests of the seat are answered.
// -> { element, update(ways) }
export function outcomeForm({ outcome, draft, changed, ways, corrected = null, settled = async () => {} }) {
  const outcomeFields = fields(outcome, draft, changed, corrected);
  const note = el("p", { class: "note", role: "status", hidden: true });
  const hint = el("p", { class: "soft" });
  const wrong = el("p", { class: "wrong", role: "alert", hidden: true });
  const row = el("div", { class: "row" });
  const first = el("div", {}, outcomeFields.element, hint, row);
  const form = el("form", { class: "outcome-form", novalidate: true }, note, first, wrong);
  let readBackView = null; // shown while an agreement is read back
  let buttons = [];

  // Enter presses the first button.
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!outcomeFields.needsReadBack || readBackView) save(buttons[0]);
    else readBack();
  });

  function say(text) {
    wrong.textContent = text;
    show(wrong, Boolean(text));
  }

  // The usual way is looked up after `settled`: a pause that was pressed just before changes it.
  const save = oneAtATime(form, async (way) => {
    say("");
    if (!isComplete()) return;
    const usual = way === buttons[0];
    try {
      await settled();
      await (usual ? buttons[0] : way).does(draft);
    } catch (error) {
      say(error.confirm ? error.message : t("phone.outcome.failed", { why: error.message }));
      if (error.confirm) wrong.append(" ", confirmation(error.confirm, way));
    }
  });

  // A button that saves again with the confirmation.
  function confirmation(field, way) {
    const confirmed = () => {
      draft[field] = true;
      save(way);
    };
    return el("button", { type: "button", onclick: confirmed }, t("phone.at.confirm"));
  }

  function isComplete() {
    const missing = outcomeFields.check();
    say(missing);
    if (missing) outcomeFields.element.querySelector(":invalid, input, textarea")?.focus();
    return !missing;
  }

  // Shows the agreement in whole sentences; it is saved only after the person's yes.
  function readBack() {
    if (!isComplete()) return;
    const title = el("h3", { tabindex: "-1" }, t("phone.read_back.title"));
    const correctButton = el("button", { type: "button" }, t("phone.read_back.mend"));
    const choices = el("div", { class: "row" });
    const element = el(
      "div",
      { class: "read-back" },
      title,
      el("p", { class: "soft" }, t("phone.read_back.hint")),
      el("blockquote", {}, ...sentences(outcome, draft).map((sentence) => el("p", {}, sentence))),
      choices,
    );
    readBackView = { element, choices, correctButton };
    show(first, false);
    first.after(element);
    correctButton.addEventListener("click", () => {
      element.remove();
      readBackView = null;
      say("");
      show(first);
      outcomeFields.element.querySelector("input")?.focus();
    });
    drawButtons();
    title.focus();
  }

  function drawButtons() {
    if (readBackView)
      replaceKeepingFocus(readBackView.choices, [
        ...buttons.map((way) => button(way, way.agreed)),
        readBackView.correctButton,
      ]);
    const read = () => el("button", { class: "main" }, t("phone.read_back.read"));
    replaceKeepingFocus(
      row,
      outcomeFields.needsReadBack ? [read()] : buttons.map((way) => button(way, way.words)),
    );
  }

  function button(way, words) {
    const usual = way === buttons[0];
    const attributes = {
      type: usual ? "submit" : "button",
      class: usual ? "main" : "",
      "data-way": way.name,
    };
    return el("button", { ...attributes, onclick: usual ? null : () => save(way) }, words);
  }

  function update(now) {
    buttons = now.buttons;
    drawButtons();
    hint.textContent = now.hint ?? "";
    show(hint, Boolean(now.hint));
    if (note.textContent !== (now.note ?? "")) note.textContent = now.note ?? "";
    show(note, Boolean(now.note));
  }

  update(ways);
  return { element: form, update };
}

// The focus goes to the new button of the same way, or to the usual one.
function replaceKeepingFocus(row, children) {
  const focused = row.contains(document.activeElement) ? document.activeElement : null;
  row.replaceChildren(...children);
  if (!focused) return;
  const { way } = focused.dataset;
  const next = focused.isConnected ? focused : way && row.querySelector(`[data-way=${way}]`);
  (next || row.querySelector(".main")).focus();
}
