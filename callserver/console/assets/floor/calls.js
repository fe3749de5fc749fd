// The panel's table of one phoner's calls today.

import { el, scrolling } from "../dom.js";
import { correct } from "../outcome/correction.js";
import { label, t, time } from "../texts.js";
import { formDialog } from "./forms.js";
import { known, may, refreshDetails } from "./store.js";

const MAX_ROWS = 12;

const campaignOf = (call) => known.details.campaigns[call.campaign];

function result(call) {
  const outcome = campaignOf(call)?.outcomes[call.outcome];
  if (call.outcome) return outcome ? label(outcome.label) : call.outcome;
  if (!call.ended_at) return t("floor.in_progress");
  if (call.answered_at) return t("floor.outcome_missing");
  const cause = call.cause ? t(`cause.${call.cause}`) : "";
  return call.code ? t("floor.call_code", { cause, code: call.code }) : cause;
}

export function calls() {
  const { calls: todaysCalls, seat } = known.details;
  if (!todaysCalls.length) return el("p", { class: "soft" }, t("floor.no_calls"));
  return scrolling(
    t("floor.calls"),
    el(
      "table",
      {},
      el("caption", { class: "sr" }, t("page.of", { label: t("floor.calls"), name: seat.name })),
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          ...["call_at", "call_number", "call_result"].map((key) =>
            el("th", { scope: "col" }, t(`floor.${key}`)),
          ),
        ),
      ),
      el(
        "tbody",
        {},
        ...todaysCalls
          .slice(0, MAX_ROWS)
          .map((call) =>
            el(
              "tr",
              {},
              el("td", {}, time(call.at)),
              el("td", {}, call.number),
              el("td", {}, result(call), ...actions(call)),
            ),
          ),
      ),
    ),
  );
}

function actions(call) {
  const which = t("floor.call_of", { at: time(call.at) });
  const small = (key, text, does) =>
    el(
      "button",
      {
        type: "button",
        class: "quiet small",
        "data-key": `${key}-${call.attempt}`,
        "aria-label": t("page.of", { label: text, name: which }),
        onclick: does,
      },
      text,
    );
  return [
    call.outcome &&
      campaignOf(call) &&
      may("correct") &&
      small("correct", t("floor.correct"), () =>
        correct({
          attempt: call.attempt,
          outcome: call.outcome,
          title: t("floor.correct_title", { call: which }),
          campaign: campaignOf(call),
          done: refreshDetails,
        }),
      ),
    call.listened && may("listen") && small("form", t("floor.form"), () => formDialog(call, which)),
  ].filter(Boolean);
}
