// What came of the call: every outcome and every wish is one button with one key, none deeper than
// another. A wish takes effect while still talking; an agreement is read back before it is saved.

import { $, el, show, toast } from "../dom.js";
import { label, t } from "../texts.js";
import { act, seat } from "./acts.js";
import * as draft from "./draft.js";
import { outcomeForm } from "./form.js";
import { AGREEMENTS, OUTCOMES, bindAll } from "./keys.js";

const GROUPS = ["agreement", "answer", "calls", "person", "missed", "wish"];
const GROUP_OF = {
  refused: "answer",
  not_now: "answer",
  call_back: "answer",
  suppress: "calls",
  wrong_number: "person",
  deceased: "person",
  vulnerable: "person",
  retry: "missed",
};

export const groupOf = (outcome) => (outcome.agreement ? "agreement" : (GROUP_OF[outcome.does] ?? "wish"));

let shown = ""; // what the panel shows, so that news of the seat does not take a field from under a hand

const chosen = () => draft.of(seat.call.attempt);
const open = () => seat.call && (seat.state === "talking" || seat.outcome_owed);

function buttons(call) {
  const made = Object.entries(call.outcomes).map(([key, outcome]) => {
    const inForce = outcome.wish && call.wishes.includes(outcome.wish);
    const button = el(
      "button",
      { type: "button", "data-outcome": key, "aria-pressed": String(chosen()?.outcome === key), onclick: () => choose(key) },
      label(outcome.label),
      inForce ? el("span", { class: "badge good" }, "✓") : null,
    );
    return { button, group: groupOf(outcome) };
  });
  bindKeys(made);
  return GROUPS.flatMap((group) => {
    const some = made.filter((one) => one.group === group);
    if (!some.length) return [];
    const heading = `group-${group}`;
    return el(
      "div",
      { class: "outcome-group", role: "group", "aria-labelledby": heading },
      el("h3", { id: heading }, t(`phone.outcome.group.${group}`)),
      el("div", { class: "outcome-grid" }, ...some.map(({ button }) => button)),
    );
  });
}

function bindKeys(made) {
  const some = (agreement) => made.filter((one) => (one.group === "agreement") === agreement).map(({ button }) => button);
  bindAll(AGREEMENTS, some(true));
  bindAll(OUTCOMES, some(false));
}

function choose(key) {
  if (chosen()?.outcome !== key) draft.begin(seat.call.attempt, key);
  draws(seat);
  const form = $("#chosen form");
  (form?.querySelector("input:not([type=radio]), textarea[required]") ?? form?.querySelector("button"))?.focus();
}

async function save(written, next) {
  const { attempt, outcome, details, note } = written;
  const name = label(seat.call?.outcomes[outcome]?.label ?? { da: outcome, en: outcome });
  await act("/outcome", { attempt, outcome, details, note: note ?? "", next });
  draft.drop();
  if (seat.call?.attempt !== attempt) toast(t("phone.outcome.saved", { outcome: name }), "good");
  draws(seat);
}

async function hear(outcome, attempt) {
  await act("/wish", { wish: outcome.wish, attempt });
}

// The buttons below a chosen outcome, and what they mean now.
function ways(outcome, call) {
  const talking = seat.state === "talking";
  if (talking && outcome.wish && !call.wishes.includes(outcome.wish)) {
    const does = (written) => hear(outcome, written.attempt);
    return { buttons: [{ words: t("phone.outcome.now"), main: true, does }], hint: t("phone.outcome.now_hint") };
  }
  const hint = talking ? t("phone.outcome.talking_hint") : "";
  const next = { words: t("phone.outcome.save_next"), does: (written) => save(written, "ready") };
  const pause = { words: t("phone.outcome.save_pause"), does: (written) => save(written, "pause") };
  const off = { words: t("phone.outcome.save_off"), does: (written) => save(written, "pause"), main: true };
  // A pause that was asked for during the call comes first; a breather most of all.
  const found = seat.wants === "off" ? [off] : seat.wants === "paused" ? [pause, next] : [next, pause];
  found[0].main = true;
  return { buttons: found, hint };
}

function panel(call) {
  const written = chosen();
  if (!written || !call.outcomes[written.outcome]) {
    if (call.outcome === null) return [];
    const given = call.outcomes[call.outcome];
    const said = given ? label(given.label) : call.outcome;
    return [el("p", { class: "note" }, t("phone.outcome.given", { outcome: said }))];
  }
  const outcome = call.outcomes[written.outcome];
  const { buttons: some, hint } = ways(outcome, call);
  const other = el("button", { type: "button", class: "quiet", onclick: leave }, t("phone.outcome.other"));
  return [
    el("div", { class: "row apart" }, el("h3", {}, t("phone.outcome.chosen", { outcome: label(outcome.label) })), other),
    outcome.wish && call.wishes.includes(outcome.wish) ? el("p", { class: "note", role: "status" }, t("phone.outcome.in_force")) : "",
    outcomeForm({ outcome, draft: written, changed: draft.keep, buttons: some, hint }),
  ];
}

function leave() {
  const { outcome } = chosen();
  draft.drop();
  draws(seat);
  $(`[data-outcome=${CSS.escape(outcome)}]`)?.focus();
}

export function draws(at) {
  const call = at.call;
  show($("#outcome"), Boolean(open()));
  if (!open()) {
    shown = "";
    bindKeys([]);
    $("#chosen").replaceChildren();
    $("#outcomes").replaceChildren();
    return;
  }
  const written = chosen();
  const now = JSON.stringify([call.attempt, call.outcome, call.wishes, Object.keys(call.outcomes), at.state === "talking", at.wants, written?.outcome]);
  if (now === shown) return;
  shown = now;
  const within = $("#outcome").contains(document.activeElement);
  $("#chosen").replaceChildren(...panel(call));
  $("#outcomes").replaceChildren(...buttons(call));
  if (within && !$("#outcome").contains(document.activeElement)) $("#chosen .main")?.focus();
}

export function start() {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !document.querySelector("dialog[open]") && open() && chosen()) leave();
  });
}
