// The phoner's own calls of the last hours, masked, with correction of an outcome.

import { get, post } from "../api.js";
import { $, el, keepFocus, onPress, scrolling, toast } from "../dom.js";
import { correct } from "../outcome/correction.js";
import { label, now, t, when, whenShort } from "../texts.js";
import * as draft from "./draft.js";
import { seat } from "./seat.js";
import { suggest } from "./seat_bar.js";

const MANY_REFUSALS = 5; // in a row: then a breather is offered
const REFUSALS = new Set(["refused", "suppress", "complaint", "left"]);

let own = { calls: [], campaigns: {} };

export async function look() {
  own = await get("/own-calls");
  settle();
  draw();
  suggest(manyRefusals() ? t("phone.many_refusals") : "");
}

// The last call with its result as a text; null during the call and before the first one.
export function latest() {
  const call = own.calls[0];
  const result = call?.answered ? outcomeOf(call) : call?.cause && t(`cause.${call.cause}`);
  return result ? { ...call, result } : null;
}

function manyRefusals() {
  const talks = own.calls.filter((call) => call.answered && call.does && call.does !== "retry");
  return (
    talks.length >= MANY_REFUSALS && talks.slice(0, MANY_REFUSALS).every((call) => REFUSALS.has(call.does))
  );
}

// Checks whether an outcome was saved if the answer to saving it was lost.
function settle() {
  const lost = draft.left(seat.call?.attempt ?? "");
  if (!lost) return;
  const call = own.calls.find((other) => other.attempt === lost.attempt);
  if (call && lost.outcome && call.outcome !== lost.outcome) {
    const name = own.campaigns[call.campaign]?.outcomes[lost.outcome]?.label;
    toast(t("phone.outcome.lost", { outcome: name ? label(name) : lost.outcome }), "bad");
  }
  draft.drop();
}

function outcomeOf(call) {
  if (call.outcome === null) return t("phone.own_calls.missing");
  const outcome = own.campaigns[call.campaign]?.outcomes[call.outcome];
  return outcome ? label(outcome.label) : call.outcome;
}

// An opt-out that was recorded by mistake: its author may take it back within ten minutes.
function undoButton(call) {
  if (!call.undoable_until || new Date(call.undoable_until) <= now()) return null;
  const name = t("phone.own_calls.undo_of", { who: call.who, when: when(call.at) });
  const button = el(
    "button",
    { type: "button", class: "quiet", "aria-label": name, "data-key": `undo-${call.attempt}` },
    t("phone.own_calls.undo"),
  );
  onPress(button, async () => {
    own = await post("/own-calls/undo", { attempt: call.attempt });
    toast(t("phone.own_calls.undone"), "good");
    draw();
  });
  return button;
}

function row(call) {
  const campaign = own.campaigns[call.campaign];
  const mine = call.outcome !== null && campaign;
  const name = t("phone.own_calls.correct_of", { who: call.who, when: when(call.at) });
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
              "data-key": `correct-${call.attempt}`,
              onclick: () =>
                correct({ attempt: call.attempt, outcome: call.outcome, title: name, campaign, done: look }),
            },
            t("phone.own_calls.correct"),
          )
        : null,
      undoButton(call),
    ),
  );
}

function draw() {
  const talks = own.calls.filter((call) => call.answered);
  const missed = own.calls.filter((call) => !call.answered && call.cause).length;
  const heads = ["time", "who", "campaign", "outcome"].map((name) =>
    el("th", { scope: "col" }, t(`phone.own_calls.${name}`)),
  );
  const table = scrolling(
    t("phone.own_calls.calls"),
    el(
      "table",
      {},
      el("caption", {}, t("phone.own_calls.calls")),
      el("thead", {}, el("tr", {}, ...heads, el("td", {}))),
      el("tbody", {}, ...talks.map(row)),
    ),
  );
  const drawn = [
    talks.length ? table : el("p", { class: "soft" }, t("phone.own_calls.none")),
    missed ? el("p", { class: "soft" }, t("phone.own_calls.missed", { count: missed })) : "",
  ];
  keepFocus(() => $("#evening-body").replaceChildren(...drawn), $("#evening-title"));
}
