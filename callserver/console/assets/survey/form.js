// The form of the open survey. What is typed is kept nowhere until it is sent.

import { post } from "../api.js";
import { $, el, onSubmit, show, toast } from "../dom.js";
import { label, t } from "../texts.js";
import { answersOf, lastDay, quarterName } from "./words.js";

const LENGTH = 30_000; // bytes of every request, so that its length does not tell how much somebody wrote
const MOST_CHARACTERS = 1000;

let shown = null; // the quarter whose form is on the page

export function draw({ open, quarter, closes_at: closesAt }) {
  show($("#answer"), open !== null);
  if (open === null) {
    const isOpen = quarter !== null;
    $("#now").textContent = isOpen
      ? t("survey.open_for_others", { quarter: quarterName(quarter), day: lastDay(closesAt) })
      : t("survey.none_open");
    shown = null;
    return;
  }
  $("#now").textContent = t("survey.open", { quarter: quarterName(quarter), day: lastDay(closesAt) });
  if (shown === quarter) return; // what is typed stays
  shown = quarter;
  $("#introduction").textContent = open.introduction ? label(open.introduction) : "";
  $("#promise").textContent = t("survey.promise", { count: open.smallest_group });
  $("#questions").replaceChildren(...Object.entries(open.questions).map(question));
}

function question([name, asked]) {
  if (asked.kind === "text") {
    const text = el("textarea", { name, maxlength: MOST_CHARACTERS, "aria-describedby": `${name}-hint` });
    const hint = el("p", { class: "soft", id: `${name}-hint` }, t("survey.words_hint"));
    return el("div", {}, el("label", {}, label(asked.text), text), hint);
  }
  const choices = answersOf(asked).map(([value, text]) => {
    const words = asked.kind === "scale" ? [value, text].filter(Boolean).join(" · ") : text;
    return el("label", { class: "inline" }, el("input", { type: "radio", name, value }), words);
  });
  const none = el(
    "label",
    { class: "inline soft" },
    el("input", { type: "radio", name, value: "", checked: true }),
    t("survey.no_answer"),
  );
  return el(
    "fieldset",
    {},
    el("legend", {}, label(asked.text)),
    el("div", { class: `row ${asked.kind}` }, ...choices, none),
  );
}

// A body of LENGTH bytes.
function padded(body) {
  const bytes = new TextEncoder().encode(JSON.stringify({ ...body, padding: "" })).length;
  return { ...body, padding: " ".repeat(Math.max(0, LENGTH - bytes)) };
}

export function start(answered) {
  onSubmit($("#answer"), async (values) => {
    const steps = new Set(document.querySelectorAll("#questions .scale input[name]"));
    const isStep = new Set([...steps].map((input) => input.name));
    const answers = Object.fromEntries(
      Object.entries(values)
        .filter(([, value]) => value.trim())
        .map(([name, value]) => [name, isStep.has(name) ? Number(value) : value]),
    );
    await post("/survey/answers", padded({ quarter: shown, answers }));
    $("#answer").reset();
    toast(t("survey.thanks"), "good");
    await answered();
    $("#answer-title").focus();
  });
}
