// One outcome being filled in: its fields, the reading back, the saving. Used for the call in hand and
// for a correction. News of the seat changes the buttons below, never the fields under somebody's hands.

import { el, oneAtATime, show } from "../dom.js";
import { t } from "../texts.js";
import { fields, sentences } from "./fields.js";

// `ways`: { buttons: [{ words, main, does(draft) }], hint, note }: how it can be saved, and what that
// means now. -> { element, update(ways) }
export function outcomeForm({ outcome, draft, changed, ways, limits = null }) {
  const made = fields(outcome, draft, changed, limits);
  const note = el("p", { class: "note", role: "status", hidden: true });
  const hint = el("p", { class: "soft" });
  const wrong = el("p", { class: "wrong", role: "alert", hidden: true });
  const row = el("div", { class: "row" });
  const first = el("div", {}, made.element, hint, row);
  const form = el("form", { class: "outcome-form", novalidate: true }, note, first, wrong);
  let submit = () => {};
  let main = () => {}; // as it is now: a breather may be asked for while the agreement is read back

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });

  function say(text) {
    wrong.textContent = text;
    show(wrong, Boolean(text));
  }

  const save = oneAtATime(form, async (does) => {
    say("");
    try {
      await does(draft);
    } catch (error) {
      say(error.confirm ? error.message : `${t("phone.outcome.failed")} ${error.message}`);
      if (error.confirm) wrong.append(" ", confirmation(error.confirm, does));
    }
  });

  // Saves once more, confirmed.
  function confirmation(field, does) {
    const confirmed = () => {
      draft[field] = true;
      save(does);
    };
    return el("button", { type: "button", onclick: confirmed }, t("phone.at.confirm"));
  }

  function press(does) {
    const missing = made.check();
    say(missing);
    if (missing) made.element.querySelector(":invalid, input, textarea")?.focus();
    else if (made.needsReadBack) readBack(does);
    else save(does);
  }

  // What was agreed, in whole sentences; only the person's yes saves it.
  function readBack(does) {
    const title = el("h3", { tabindex: "-1" }, t("phone.read_back.title"));
    const mend = el("button", { type: "button" }, t("phone.read_back.mend"));
    const said = el(
      "div",
      { class: "read-back" },
      title,
      el("p", { class: "soft" }, t("phone.read_back.hint")),
      el("blockquote", {}, ...sentences(draft).map((one) => el("p", {}, one))),
      el("div", { class: "row" }, el("button", { class: "main", type: "submit" }, t("phone.read_back.confirm")), mend),
    );
    const before = submit;
    submit = () => save(does);
    show(first, false);
    first.after(said);
    mend.addEventListener("click", () => {
      said.remove();
      say("");
      submit = before;
      show(first);
      made.element.querySelector("input")?.focus();
    });
    title.focus();
  }

  function button({ words, main, does }) {
    const shown = made.needsReadBack ? `${t("phone.read_back.read")}: ${words[0].toLocaleLowerCase()}${words.slice(1)}` : words;
    const found = el("button", { type: main ? "submit" : "button", class: main ? "main" : "" }, shown);
    if (!main) found.addEventListener("click", () => press(does));
    return found;
  }

  function update(now) {
    const within = row.contains(document.activeElement);
    const reading = first.hidden;
    row.replaceChildren(...now.buttons.map(button));
    main = now.buttons.find((one) => one.main).does;
    if (!reading) submit = () => press((given) => main(given));
    hint.textContent = now.hint ?? "";
    show(hint, Boolean(now.hint));
    if (note.textContent !== (now.note ?? "")) note.textContent = now.note ?? "";
    show(note, Boolean(now.note));
    if (within) row.querySelector(".main").focus();
  }

  update(ways);
  return { element: form, update };
}
