// One outcome being filled in: its fields, the reading back, the saving. Used for the call in hand and
// for a correction. News of the seat changes the buttons below, never the fields under somebody's hands.

import { el, oneAtATime, show } from "../dom.js";
import { t } from "../texts.js";
import { fields, sentences } from "./fields.js";

// `ways`: { buttons: [{ name, words, agreed, does(draft) }], hint, note }: how it can be saved, the usual
// way first, and what that means now; `agreed` stands on the button of an agreement that was read back.
// `settled`: resolves when nothing that was pressed before is still on its way to the server.
// -> { element, update(ways) }
export function outcomeForm({ outcome, draft, changed, ways, limits = null, settled = async () => {} }) {
  const made = fields(outcome, draft, changed, limits);
  const note = el("p", { class: "note", role: "status", hidden: true });
  const hint = el("p", { class: "soft" });
  const wrong = el("p", { class: "wrong", role: "alert", hidden: true });
  const row = el("div", { class: "row" });
  const first = el("div", {}, made.element, hint, row);
  const form = el("form", { class: "outcome-form", novalidate: true }, note, first, wrong);
  let said = null; // the agreement as it is read back
  let buttons = [];

  // Enter presses the first button.
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!made.needsReadBack || said) save(buttons[0]);
    else readBack();
  });

  function say(text) {
    wrong.textContent = text;
    show(wrong, Boolean(text));
  }

  // A pause that was asked for a moment ago comes first: the usual way is then another one.
  const save = oneAtATime(form, async (way) => {
    say("");
    if (!isComplete()) return;
    const usual = way === buttons[0];
    try {
      await settled();
      await (usual ? buttons[0] : way).does(draft);
    } catch (error) {
      say(error.confirm ? error.message : `${t("phone.outcome.failed")} ${error.message}`);
      if (error.confirm) wrong.append(" ", confirmation(error.confirm, way));
    }
  });

  // Saves once more, confirmed.
  function confirmation(field, way) {
    const confirmed = () => {
      draft[field] = true;
      save(way);
    };
    return el("button", { type: "button", onclick: confirmed }, t("phone.at.confirm"));
  }

  function isComplete() {
    const missing = made.check();
    say(missing);
    if (missing) made.element.querySelector(":invalid, input, textarea")?.focus();
    return !missing;
  }

  // What was agreed, in whole sentences; only the person's yes saves it.
  function readBack() {
    if (!isComplete()) return;
    const title = el("h3", { tabindex: "-1" }, t("phone.read_back.title"));
    const mend = el("button", { type: "button" }, t("phone.read_back.mend"));
    const choices = el("div", { class: "row" });
    const element = el(
      "div",
      { class: "read-back" },
      title,
      el("p", { class: "soft" }, t("phone.read_back.hint")),
      el("blockquote", {}, ...sentences(outcome, draft).map((one) => el("p", {}, one))),
      choices,
    );
    said = { element, choices, mend };
    show(first, false);
    first.after(element);
    mend.addEventListener("click", () => {
      element.remove();
      said = null;
      say("");
      show(first);
      made.element.querySelector("input")?.focus();
    });
    drawButtons();
    title.focus();
  }

  function drawButtons() {
    if (said)
      replaceKeepingFocus(said.choices, [...buttons.map((way) => button(way, way.agreed)), said.mend]);
    const read = () => el("button", { class: "main" }, t("phone.read_back.read"));
    replaceKeepingFocus(row, made.needsReadBack ? [read()] : buttons.map((way) => button(way, way.words)));
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
