// My own evening: my calls, masked, with a way to mend an outcome.

import { get } from "../api.js";
import { $, el, toast } from "../dom.js";
import { correct } from "../outcome/correction.js";
import { label, t, when, whenShort } from "../texts.js";
import * as draft from "./draft.js";
import { seat } from "./seat.js";
import { suggest } from "./seat_bar.js";

const MANY = 5; // noes in a row after which a breather is offered
const NOES = new Set(["refused", "suppress", "complaint", "left"]);

let evening = { calls: [], campaigns: {} };

export async function look() {
  evening = await get("/evening");
  settle();
  draw();
  suggest(manyNoes() ? t("phone.many_noes") : "");
}

// My last call, and what came of it in words; null while it lasts, and before the first one.
export function latest() {
  const call = evening.calls[0];
  const result = call?.answered ? outcomeOf(call) : call?.cause && t(`cause.${call.cause}`);
  return result ? { ...call, result } : null;
}

function manyNoes() {
  const talks = evening.calls.filter((one) => one.answered && one.does && one.does !== "retry");
  return talks.length >= MANY && talks.slice(0, MANY).every((one) => NOES.has(one.does));
}

// An outcome whose answer was lost on the way: was it saved?
function settle() {
  const lost = draft.left(seat.call?.attempt ?? "");
  if (!lost) return;
  const call = evening.calls.find((one) => one.attempt === lost.attempt);
  if (call && call.outcome !== lost.outcome) {
    const name = evening.campaigns[call.campaign]?.outcomes[lost.outcome]?.label;
    toast(t("phone.outcome.lost", { outcome: name ? label(name) : lost.outcome }), "bad");
  }
  draft.drop();
}

function outcomeOf(call) {
  if (call.outcome === null) return t("phone.evening.missing");
  const given = evening.campaigns[call.campaign]?.outcomes[call.outcome];
  return given ? label(given.label) : call.outcome;
}

function row(call) {
  const campaign = evening.campaigns[call.campaign];
  const mine = call.outcome !== null && campaign;
  const name = t("phone.evening.correct_of", { who: call.who, when: when(call.at) });
  return el(
    "tr",
    {},
    el("td", { class: "number-left" }, whenShort(call.at)),
    el("td", {}, call.who),
    el("td", {}, campaign ? label(campaign.title) : call.campaign),
    el("td", {}, outcomeOf(call)),
    el(
      "td",
      {},
      mine
        ? el(
            "button",
            {
              type: "button",
              class: "quiet",
              "aria-label": name,
              onclick: () =>
                correct({ attempt: call.attempt, outcome: call.outcome, title: name, campaign, done: look }),
            },
            t("phone.evening.correct"),
          )
        : null,
    ),
  );
}

function draw() {
  const talks = evening.calls.filter((one) => one.answered);
  const missed = evening.calls.filter((one) => !one.answered && one.cause).length;
  const heads = ["time", "who", "campaign", "outcome"].map((name) =>
    el("th", { scope: "col" }, t(`phone.evening.${name}`)),
  );
  const table = el(
    "div",
    { class: "scroll" },
    el(
      "table",
      {},
      el("caption", {}, t("phone.evening.calls")),
      el("thead", {}, el("tr", {}, ...heads, el("td", {}))),
      el("tbody", {}, ...talks.map(row)),
    ),
  );
  $("#evening-body").replaceChildren(
    talks.length ? table : el("p", { class: "soft" }, t("phone.evening.none")),
    missed ? el("p", { class: "soft" }, t("phone.evening.missed", { count: missed })) : "",
  );
}
