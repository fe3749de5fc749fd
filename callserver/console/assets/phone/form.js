// One outcome being filled in: its fields, the reading back, the saving. Used for the call in hand and
// for a correction.

import { el, show } from "../dom.js";
import { label, t } from "../texts.js";
import { fields, sentences } from "./fields.js";

// `buttons`: [{ words, main, does(draft) }]; `hint`: what saving means now. -> element
export function outcomeForm({ outcome, draft, changed, buttons, hint = "", limits = null }) {
  const made = fields(outcome, draft, changed, limits);
  const wrong = el("p", { class: "wrong", role: "alert", hidden: true });
  const form = el("form", { class: "outcome-form", novalidate: true }, made.element);
  const row = el("div", { class: "row" });
  const hinted = el("p", { class: "soft", hidden: !hint }, hint);

  function say(text) {
    wrong.textContent = text;
    show(wrong, Boolean(text));
  }

  let saving = false; // buttons are not disabled meanwhile: the focus would be lost
  async function save(does) {
    if (saving) return;
    saving = true;
    form.setAttribute("aria-busy", "true");
    say("");
    try {
      await does(draft);
    } catch (error) {
      say(`${t("phone.outcome.failed")} ${error.message}`);
    } finally {
      saving = false;
      form.removeAttribute("aria-busy");
    }
  }

  function press(does) {
    const missing = made.check();
    say(missing);
    if (missing) {
      made.element.querySelector(":invalid, input, textarea")?.focus();
      return;
    }
    if (made.needsReadBack) readBack(does);
    else save(does);
  }

  // What was agreed, in whole sentences; only the person's yes saves it.
  function readBack(does) {
    const title = el("h3", { tabindex: "-1" }, t("phone.read_back.title"));
    const confirm = el("button", { class: "main", type: "submit" }, t("phone.read_back.confirm"));
    const mend = el("button", { type: "button" }, t("phone.read_back.mend"));
    const said = el(
      "div",
      { class: "read-back" },
      title,
      el("p", { class: "soft" }, t("phone.read_back.hint")),
      el("blockquote", {}, ...sentences(outcome, draft, label(outcome.label)).map((one) => el("p", {}, one))),
      wrong,
      el("div", { class: "row" }, confirm, mend),
    );
    show(made.element, false);
    show(row, false);
    show(hinted, false);
    form.append(said);
    form.onsubmit = (event) => {
      event.preventDefault();
      save(does);
    };
    mend.addEventListener("click", () => {
      said.remove();
      row.before(wrong);
      say("");
      show(made.element);
      show(row);
      show(hinted, Boolean(hint));
      form.onsubmit = first;
      made.element.querySelector("input")?.focus();
    });
    title.focus();
  }

  const ways = buttons.map(({ words, main, does }) => {
    const shown = made.needsReadBack ? `${t("phone.read_back.read")}: ${words[0].toLocaleLowerCase()}${words.slice(1)}` : words;
    const button = el("button", { type: main ? "submit" : "button", class: main ? "main" : "" }, shown);
    if (!main) button.addEventListener("click", () => press(does));
    return { button, does, main };
  });
  const first = (event) => {
    event.preventDefault();
    press(ways.find((one) => one.main).does);
  };
  form.onsubmit = first;
  row.append(...ways.map(({ button }) => button));
  form.append(hinted, wrong, row);
  return form;
}
