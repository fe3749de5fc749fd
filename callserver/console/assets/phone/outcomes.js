// The outcomes and wishes of a call: each is one button with one key, all on one level. A wish takes effect
// during the call; an agreement is read back before it is saved.

import { $, el, show, toast } from "../dom.js";
import { outcomeForm } from "../outcome/form.js";
import { label, t } from "../texts.js";
import * as draft from "./draft.js";
import { keepingFocus } from "./focus.js";
import { AGREEMENTS, bindAll, OUTCOMES } from "./keys.js";
import { act, seat, settled } from "./seat.js";

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

let shown = ""; // what the buttons show, so that they are not redrawn without need
let form = null; // the outcome being filled in: { of, update }; its fields stay while the seat moves

const chosen = () => draft.of(seat.call.attempt);
const open = () => seat.call && (seat.state === "talking" || seat.outcome_owed);

function buttons(call) {
  const entries = Object.entries(call.outcomes).map(([key, outcome]) => {
    const inForce = outcome.wish && call.wishes.includes(outcome.wish);
    const button = el(
      "button",
      {
        type: "button",
        "data-outcome": key,
        "aria-pressed": String(chosen()?.outcome === key),
        onclick: () => choose(key),
      },
      label(outcome.label),
      inForce ? el("span", { class: "badge good" }, "✓") : null,
    );
    return { button, group: groupOf(outcome) };
  });
  bindKeys(entries);
  return GROUPS.flatMap((group) => {
    const some = entries.filter((entry) => entry.group === group);
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

function bindKeys(entries) {
  const some = (agreement) =>
    entries.filter((entry) => (entry.group === "agreement") === agreement).map(({ button }) => button);
  bindAll(AGREEMENTS, some(true));
  bindAll(OUTCOMES, some(false));
}

function choose(key) {
  if (chosen()?.outcome !== key) draft.begin(seat.call.attempt, key, seat.call.outcomes[key].asks);
  draws(seat);
  const formElement = $("#chosen form");
  (
    formElement?.querySelector("input:not([type=radio]), textarea[required]") ??
    formElement?.querySelector(".main")
  )?.focus();
}

async function save(written, next) {
  const { attempt, outcome, details, note, confirm_outside_hours } = written;
  const name = label(seat.call?.outcomes[outcome]?.label ?? { da: outcome, en: outcome });
  await act("/outcome", { attempt, outcome, details, note: note ?? "", confirm_outside_hours, next });
  draft.drop(attempt);
  if (seat.call?.attempt !== attempt) toast(t("phone.outcome.saved", { outcome: name }), "good");
  keepingFocus(() => draws(seat));
}

async function applyWish(outcome, attempt) {
  await act("/wish", { wish: outcome.wish, attempt });
}

// How a chosen outcome can be saved, and what that means now.
function ways(outcome, call) {
  const talking = seat.state === "talking";
  const inForce = outcome.wish && call.wishes.includes(outcome.wish);
  if (talking && outcome.wish && !inForce) {
    const does = (written) => applyWish(outcome, written.attempt);
    return {
      buttons: [{ name: "now", words: t("phone.outcome.now"), does }],
      hint: t("phone.outcome.now_hint"),
    };
  }
  const way = (name, next) => ({
    name,
    words: t(`phone.outcome.save_${name}`),
    agreed: t(`phone.read_back.yes_${name}`),
    does: (written) => save(written, next),
  });
  const [next, pause, off] = [way("next", "ready"), way("pause", "pause"), way("off", "pause")];
  // If the phoner has asked for a pause during the call, saving with a pause comes first.
  const buttons = { off: [off], paused: [pause, next] }[seat.wants] ?? [next, pause];
  return {
    buttons,
    hint: talking ? t("phone.outcome.talking_hint") : "",
    note: inForce ? t("phone.outcome.in_force") : "",
  };
}

function drawChosen(call) {
  const written = chosen();
  const outcome = written && call.outcomes[written.outcome];
  if (!outcome) {
    form = null;
    const saved = call.outcomes[call.outcome];
    const name = saved ? label(saved.label) : call.outcome;
    const words =
      call.outcome === null ? [] : [el("p", { class: "note" }, t("phone.outcome.given", { outcome: name }))];
    $("#chosen").replaceChildren(...words);
    return;
  }
  const of = `${call.attempt} ${written.outcome}`;
  if (form?.of === of) {
    form.update(ways(outcome, call));
    return;
  }
  const other = el("button", { type: "button", class: "quiet", onclick: leave }, t("phone.outcome.other"));
  const created = outcomeForm({
    outcome,
    draft: written,
    changed: draft.keep,
    ways: ways(outcome, call),
    settled,
  });
  form = { of, update: created.update };
  $("#chosen").replaceChildren(
    el(
      "div",
      { class: "row apart" },
      el("h3", {}, t("phone.outcome.chosen", { outcome: label(outcome.label) })),
      other,
    ),
    created.element,
  );
}

function drawButtons(call) {
  const now = JSON.stringify([call.attempt, call.wishes, Object.keys(call.outcomes), chosen()?.outcome]);
  if (now === shown) return;
  shown = now;
  const focused = document.activeElement?.dataset.outcome;
  $("#outcomes").replaceChildren(...buttons(call));
  if (focused) $(`[data-outcome=${CSS.escape(focused)}]`)?.focus();
}

function leave() {
  const { attempt, outcome } = chosen();
  draft.begin(attempt, null);
  draws(seat);
  $(`[data-outcome=${CSS.escape(outcome)}]`)?.focus();
}

export function draws(at) {
  show($("#outcome"), Boolean(open()));
  if (!open()) {
    shown = "";
    form = null;
    bindKeys([]);
    $("#chosen").replaceChildren();
    $("#outcomes").replaceChildren();
    return;
  }
  drawChosen(at.call);
  drawButtons(at.call);
}

export function start() {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !document.querySelector("dialog[open]") && open() && chosen()?.outcome)
      leave();
  });
}
