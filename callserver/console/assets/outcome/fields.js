// The fields of an outcome, what is missing in them, and the sentences that read them back.

import { dateInput, read, write } from "../dates.js";
import { el, show } from "../dom.js";
import { label, list, locale, number, t } from "../texts.js";
import { inWords } from "./amounts.js";
import { timePicker } from "./call_back_time.js";
import { topics } from "./sensitive_topics.js";

const A_YEAR = { monthly: 12, quarterly: 4 };
const TOPICS = ["health", "religion", "politics", "sexuality", "crime"];
const { language } = document.body.dataset;
let groups = 0;

// Fields for `outcome`, filled from `draft` ({ details, note }); `changed` is called on every input.
// -> { element, check() -> sentence or "", needsReadBack }
export function fields(outcome, draft, changed, corrected) {
  const element = el("div", { class: "fields" });
  const keep = (name, value) => {
    draft.details = { ...draft.details, [name]: value };
    if (value === undefined) delete draft.details[name];
    changed();
  };
  const checks = [];
  for (const ask of outcome.asks) {
    const field = MAKE[ask](ask, draft, keep, { outcome, corrected });
    element.append(field.element);
    checks.push(field.check);
  }
  if (!outcome.asks.some((ask) => ask === "note" || ask === "reason")) {
    const note = text("phone.outcome.note", draft.note ?? "", (value) => {
      draft.note = value;
      changed();
    });
    element.append(note);
  }
  return {
    element,
    check: () => checks.map((check) => check()).find(Boolean) ?? "",
    needsReadBack: outcome.agreement || outcome.asks.includes("amount"),
  };
}

function text(name, value, keep, attributes = {}) {
  const warning = el("p", { class: "note", role: "status", hidden: true });
  const area = el("textarea", { rows: 2, maxlength: 2000, ...attributes });
  area.value = value;
  const look = () => {
    const words = Object.fromEntries(TOPICS.map((topic) => [topic, t(`phone.note.words.${topic}`)]));
    const warnings = topics(area.value, words).map((topic) => t(`phone.note.topic.${topic}`));
    const text = warnings.length ? t("phone.note.warning", { topics: list(warnings) }) : "";
    if (warning.textContent !== text) warning.textContent = text;
    show(warning, Boolean(text));
  };
  area.addEventListener("input", () => {
    keep(area.value);
    look();
  });
  look();
  return el("div", {}, el("label", {}, t(name), area), warning);
}

const words = (ask, draft, keep) => ({
  element: text(`phone.field.${ask}`, draft.details?.[ask] ?? "", (value) => keep(ask, value), {
    required: true,
  }),
  check: () => (draft.details?.[ask]?.trim() ? "" : t(`phone.missing.${ask}`)),
});

const MAKE = {
  amount(_ask, draft, keep) {
    const input = el("input", {
      type: "number",
      min: 1,
      max: 100000,
      step: 1,
      inputmode: "numeric",
      required: true,
      value: draft.details?.amount,
    });
    input.addEventListener("input", () =>
      keep("amount", input.value === "" ? undefined : Number(input.value)),
    );
    const good = (value) => Number.isInteger(value) && value > 0 && value <= 100000;
    return {
      element: el("label", {}, t("phone.field.amount"), input),
      check: () => (good(draft.details?.amount) ? "" : t("phone.missing.amount")),
    };
  },
  frequency(_ask, draft, keep, { outcome }) {
    const group = el("fieldset", {}, el("legend", {}, t("phone.field.frequency")));
    const name = `frequency-${++groups}`;
    for (const value of outcome.frequencies) {
      const input = el("input", { type: "radio", name, value, checked: draft.details?.frequency === value });
      input.addEventListener("change", () => keep("frequency", value));
      group.append(el("label", { class: "inline" }, input, t(`phone.frequency.${value}`)));
    }
    return { element: group, check: () => (draft.details?.frequency ? "" : t("phone.missing.frequency")) };
  },
  date(_ask, draft, keep) {
    const input = dateInput("date", { required: true });
    write(input, draft.details?.date);
    input.addEventListener("input", () => keep("date", read(input) || undefined));
    return {
      element: el("label", {}, t("phone.field.date"), input),
      check: () => (draft.details?.date ? "" : t("phone.missing.date")),
    };
  },
  at: (_ask, draft, keep, { corrected }) => timePicker(draft, keep, corrected),
  note: words,
  reason: words,
};

// An agreement in whole sentences, for the phoner to read aloud.
export function sentences(outcome, { details }) {
  const lines = [outcome.read ? label(outcome.read) : t("phone.read_back.what")];
  if (details.amount) {
    const amount = number(details.amount);
    const words = inWords(details.amount, language);
    lines.push(t(`phone.read_back.amount.${details.frequency}`, { amount, words }));
    if (A_YEAR[details.frequency]) {
      lines.push(t("phone.read_back.year", { amount: number(details.amount * A_YEAR[details.frequency]) }));
    }
  }
  if (details.date) lines.push(t("phone.read_back.date", { date: long(details.date) }));
  return lines;
}

const days = new Intl.DateTimeFormat(locale, {
  weekday: "long",
  day: "numeric",
  month: "long",
  year: "numeric",
});
const long = (day) => days.format(new Date(`${day}T12:00`));
