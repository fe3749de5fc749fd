// Today's calls of one phoner, in their order, and the correction of an outcome.

import { post } from "../api.js";
import { $, el, toast } from "../dom.js";
import { has, label, t, time } from "../texts.js";
import { ask, field } from "../dialog.js";
import { formDialog } from "./forms.js";
import { known, may, refreshDetails } from "./state.js";

const MOST = 12;

function result(call) {
  const outcomes = known.details.outcomes[call.campaign] ?? {};
  if (call.outcome) return outcomes[call.outcome] ? label(outcomes[call.outcome].label) : call.outcome;
  if (!call.ended_at) return t("floor.in_progress");
  if (call.answered_at) return t("floor.outcome_missing");
  const cause = call.cause ? t(`cause.${call.cause}`) : "";
  return call.code ? t("floor.call_code", { cause, code: call.code }) : cause;
}

export function calls() {
  const { calls: made, seat } = known.details;
  if (!made.length) return el("p", { class: "soft" }, t("floor.no_calls"));
  return el("div", { class: "scroll" }, el("table", {},
    el("caption", { class: "sr" }, `${t("floor.calls")}: ${seat.name}`),
    el("thead", {}, el("tr", {},
      ...["call_at", "call_number", "call_result"].map((key) => el("th", { scope: "col" }, t(`floor.${key}`))))),
    el("tbody", {}, ...made.slice(0, MOST).map((call) => el("tr", {},
      el("td", {}, time(call.at)),
      el("td", {}, call.number),
      el("td", {}, result(call), ...actions(call)))))));
}

function actions(call) {
  const which = t("floor.call_of", { at: time(call.at) });
  const small = (key, text, does) => el("button", {
    type: "button", class: "quiet small", "data-key": `${key}-${call.attempt}`,
    "aria-label": `${text}: ${which}`, onclick: does,
  }, text);
  return [
    call.outcome && may("correct") && small("correct", t("floor.correct"), () => correct(call, which)),
    call.heard && may("listen") && small("form", t("floor.form"), () => formDialog(call, which)),
  ].filter(Boolean);
}

function control(what, outcome) {
  if (what === "frequency") {
    return el("select", {}, ...outcome.frequencies.map((one) => el("option", { value: one }, t(`floor.frequency.${one}`))));
  }
  const types = { amount: "number", date: "date", at: "datetime-local" };
  return el("input", { type: types[what] ?? "text", required: true, min: what === "amount" ? "1" : null });
}

function correct(call, which) {
  const outcomes = known.details.outcomes[call.campaign];
  const asked = el("div", {});
  const choice = el("select", { required: true }, ...Object.entries(outcomes).map(([key, one]) =>
    el("option", { value: key, selected: key === call.outcome }, label(one.label))));
  const askFor = () => asked.replaceChildren(...outcomes[choice.value].asks.map((what) =>
    field(`ask.${what}`, has(`floor.ask.${what}`) ? t(`floor.ask.${what}`) : what, control(what, outcomes[choice.value]))));
  choice.addEventListener("change", askFor);
  askFor();
  ask(t("floor.correct_title", { call: which }), [
    el("p", { class: "soft" }, t("floor.correct_note")),
    field("outcome", t("floor.outcome"), choice), asked,
    field("note", t("floor.call_note"), el("textarea", { maxlength: "2000" })),
  ], {
    does: async (values) => {
      const details = {};
      for (const what of outcomes[values.outcome].asks) {
        const given = values[`ask.${what}`];
        details[what] = what === "amount" ? Number(given) : what === "at" ? new Date(given).toISOString() : given;
      }
      const body = { attempt: call.attempt, outcome: values.outcome, details, note: values.note };
      await post("/correct", body).catch((error) => {
        if (!error.confirm || !window.confirm(error.message)) throw error;
        return post("/correct", { ...body, [error.confirm]: true });
      });
      toast(t("floor.corrected"), "good");
      await refreshDetails();
    },
  });
  $("select", $("#dialog")).focus();
}
