// The survey page: the form of the open survey, results, answers in words, decisions.

import { get, post } from "./api.js";
import { confirm } from "./dialog.js";
import { $, el, onPress, onSubmit, show, toast } from "./dom.js";
import { keepForm } from "./kept.js";
import { follow } from "./live.js";
import * as form from "./survey/form.js";
import { results } from "./survey/results.js";
import { quarterName } from "./survey/words.js";
import { date, label, t } from "./texts.js";

let view = null;

function draw(fetched) {
  view = fetched;
  form.draw(view);
  drawResults();
  drawTexts();
  drawDecisions();
}

function drawResults() {
  const chosen = $("#department").value;
  const options = Object.entries(view.departments).map(([key, title]) => new Option(label(title), key));
  $("#department").replaceChildren(new Option(t("survey.whole"), ""), ...options);
  $("#department").value = chosen in view.departments ? chosen : "";
  show($("#of"), options.length > 0);
  $("#results").replaceChildren(...results(view, $("#department").value || null));
}

function decide(text, shown) {
  const name = t(shown ? "survey.show" : "survey.withhold");
  const button = el("button", { type: "button", "data-key": "texts" }, name);
  const send = async () => {
    draw(await post(`/survey/texts/${text.id}`, { shown }));
    $("#texts-title").focus();
  };
  onPress(button, async () => {
    if (shown) await send();
    else confirm(name, t("survey.withhold_sure"), { go: name, bad: true, does: send });
  });
  return button;
}

function drawText(text) {
  return el(
    "li",
    {},
    el("p", { class: "said" }, text.text),
    text.numbers ? el("p", {}, el("span", { class: "badge warn" }, t("survey.holds_number"))) : null,
    text.decided ? null : el("div", { class: "row" }, decide(text, true), decide(text, false)),
  );
}

// The texts of a quarter below their questions.
function textsOf({ quarter, withheld }) {
  const byQuestion = new Map();
  for (const text of view.texts.filter((written) => written.quarter === quarter)) {
    const question = label(text.question);
    byQuestion.set(question, [...(byQuestion.get(question) ?? []), drawText(text)]);
  }
  if (!byQuestion.size && !withheld) return [];
  const lists = [...byQuestion].flatMap(([question, items]) => [
    el("p", { class: "soft" }, question),
    el("ul", { class: "plain" }, ...items),
  ]);
  const note = withheld ? [el("p", { class: "soft" }, t("survey.withheld", { count: withheld }))] : [];
  return [el("h3", {}, quarterName(quarter)), ...lists, ...note];
}

function drawTexts() {
  const parts = view.quarters.flatMap(textsOf);
  $("#texts").replaceChildren(...(parts.length ? parts : [el("p", {}, t("survey.no_texts"))]));
}

function drawDecisions() {
  const items = view.decisions.map((decision) =>
    el(
      "li",
      {},
      el("p", { class: "said" }, decision.text),
      el(
        "span",
        { class: "soft" },
        t("survey.decided", {
          day: date(decision.at),
          name: decision.by,
          quarter: quarterName(decision.quarter),
        }),
      ),
    ),
  );
  $("#decisions").replaceChildren(
    items.length ? el("ul", { class: "plain" }, ...items) : el("p", {}, t("survey.no_decisions")),
  );
  if (!$("#decide")) return;
  show($("#decide"), view.quarters.length > 0);
  const chosen = $("#decide").quarter.value;
  $("#decide").quarter.replaceChildren(
    ...view.quarters.map(({ quarter }) => new Option(quarterName(quarter), quarter)),
  );
  if (chosen) $("#decide").quarter.value = chosen;
}

const refresh = async () => draw(await get("/survey"));

form.start(refresh);
$("#department").addEventListener("change", drawResults);
const draft = $("#decide") && keepForm($("#decide"), () => "survey.decision");
if (draft) {
  onSubmit($("#decide"), async (values) => {
    draw(await post("/survey/decisions", values));
    draft.drop();
    $("#decide").text.value = "";
    toast(t("survey.decision_done"), "good");
  });
}
await follow(refresh, { survey: draw });
draft?.bring();
