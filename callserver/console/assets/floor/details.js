// The side panel of the chosen seat: state, actions, listening, calls, feedback forms and mentoring.

import { post, unlessUnreachable } from "../api.js";
import { ask } from "../dialog.js";
import { $, el, keepFocus, show, toast } from "../dom.js";
import { lasting, t } from "../texts.js";
import { calls } from "./calls.js";
import { forms } from "./forms.js";
import { defaultReason, modeButtons, opened, WHYS, whyNotAllowed } from "./listening.js";
import { mentor } from "./mentor.js";
import { campaign, notes, state, TONES, why } from "./seat_words.js";
import { choose, known, may, onChange, refreshDetails, seatOf } from "./store.js";

const panel = $("#panel");
const parts = {
  now: el("div"),
  acts: el("div", { class: "row" }),
  listening: el("div"),
  rest: el("div"),
  mentor: el("div"),
};

function drawNow(seat) {
  parts.now.replaceChildren(
    el(
      "p",
      {},
      el("span", { class: `badge ${TONES[seat.state]}` }, state(seat)),
      " ",
      el("span", { class: "number", "data-since": seat.since }, lasting(seat.since)),
    ),
    ...[why(seat), campaign(seat), ...notes(seat)]
      .filter(Boolean)
      .map((text) => el("p", { class: "tight" }, text)),
  );
}

function drawActs(seat) {
  const buttons = [];
  if (may("lead_floor") && seat.hand_at) {
    buttons.push(
      el(
        "button",
        {
          type: "button",
          class: "main",
          "data-key": "hand",
          onclick: async () => {
            await post(`/floor/seats/${seat.id}/hand`);
          },
        },
        t("floor.answer_hand"),
      ),
    );
  }
  if (may("lead_floor") && seat.state !== "off" && seat.wants !== "off") {
    buttons.push(
      el(
        "button",
        { type: "button", "data-key": "off", onclick: () => endShift(seat) },
        t("floor.end_shift"),
      ),
    );
  }
  if (may("lead_floor") && seat.state === "waiting" && seat.reason === "another_exchange") {
    buttons.push(
      el(
        "button",
        { type: "button", "data-key": "exchange", onclick: () => changeExchange(seat) },
        t("floor.change_exchange"),
      ),
    );
  }
  parts.acts.replaceChildren(...buttons);
}

function changeExchange(seat) {
  ask(t("floor.change_exchange"), [el("p", {}, t("floor.change_exchange_sure", { name: seat.name }))], {
    go: t("floor.change_exchange"),
    does: () => post(`/floor/seats/${seat.id}/exchange`),
  });
}

function endShift(seat) {
  ask(t("floor.end_shift"), [el("p", {}, t("floor.end_shift_sure", { name: seat.name }))], {
    go: t("floor.end_shift"),
    bad: true,
    does: async () => {
      await post(`/floor/seats/${seat.id}/off`);
      if (seatOf(seat.id)?.state !== "off") toast(t("floor.shift_ending"));
    },
  });
}

function drawListening(seat) {
  const open = opened(seat.id);
  const buttons = modeButtons(seat.id);
  const refusal = whyNotAllowed();
  show(parts.listening, Boolean(buttons.length || refusal));
  if (refusal) {
    parts.listening.replaceChildren(el("p", { class: "note" }, refusal));
    return;
  }
  const chosen = $("#why")?.value ?? defaultReason(seat, known.details?.shift);
  const reason = el(
    "select",
    { id: "why", "data-key": "why" },
    ...WHYS.map((key) => el("option", { value: key, selected: key === chosen }, t(`listen_why.${key}`))),
  );
  parts.listening.replaceChildren(
    el("h3", {}, t("floor.listening")),
    el("label", { class: "pair" }, t("floor.why"), reason),
    el("div", { class: "row" }, ...buttons),
    el(
      "p",
      { class: "soft tight" },
      [
        open || known.mine.open || known.hasBrowserPhone ? "" : t("floor.rings"),
        t(`floor.note.${open?.mode ?? "silent"}`),
        t(`floor.told_${known.mine.phoner_told}`),
      ].join(" "),
    ),
  );
}

function drawRest() {
  show(parts.mentor, Boolean(known.details));
  if (!known.details) {
    parts.rest.replaceChildren(el("p", { class: "soft" }, t("page.loading")));
    return;
  }
  const more = [
    el("h3", {}, t("floor.calls")),
    calls(),
    may("listen") && el("h3", {}, t("floor.forms")),
    may("listen") && forms(),
  ];
  parts.rest.replaceChildren(...more.filter(Boolean));
  drawMentor();
}

// An unchanged form keeps its element, because somebody may be choosing in it.
function drawMentor() {
  const { seat, trainees } = known.details;
  const now = JSON.stringify([seat.id, trainees]);
  if (!may("lead_floor") || parts.mentor.dataset.shown === now) return;
  parts.mentor.dataset.shown = now;
  parts.mentor.replaceChildren(mentor());
}

let shownSeat = null;
let lastDrawn = "";

function draw(what) {
  const seat = seatOf(known.chosen) ?? known.details?.seat;
  document.body.classList.toggle("chosen", Boolean(seat));
  show($("#pick"), !seat);
  if (!seat) {
    shownSeat = null;
    panel.replaceChildren();
    $("#details-title").textContent = t("floor.details");
    return;
  }
  if (shownSeat !== seat.id) {
    shownSeat = seat.id;
    lastDrawn = "";
    $("#why")?.remove(); // the reason was chosen for another phoner
    panel.replaceChildren(
      el("button", { type: "button", class: "quiet close", onclick: close }, t("floor.close")),
      parts.now,
      parts.acts,
      parts.listening,
      parts.rest,
      parts.mentor,
    );
    if (what.has("chosen")) $("#details").focus({ preventScroll: true });
  }
  const shifts = known.details?.shift ? t("floor.shift_number", { number: known.details.shift }) : "";
  $("#details-title").replaceChildren(seat.name, " ", el("span", { class: "soft small" }, shifts));
  const redraw = () => {
    const now = JSON.stringify([seat, known.mine, Boolean(known.details)]);
    if (now !== lastDrawn) {
      drawNow(seat);
      drawActs(seat);
      drawListening(seat);
      lastDrawn = now;
    }
    if (what.has("details") || what.has("chosen")) drawRest();
  };
  if (panel.contains(document.activeElement)) keepFocus(redraw, $("#details"), panel);
  else redraw();
}

function close() {
  const tile = document.querySelector('.seat[aria-current="true"]');
  choose(null);
  tile?.focus();
}

let callsOf = ""; // the state of the seat for which the calls were fetched

onChange((what) => {
  draw(what);
  const seat = seatOf(known.chosen);
  const now = seat ? `${seat.id} ${seat.state} ${seat.outcome_owed}` : "";
  if (what.has("floor") && seat && now !== callsOf) unlessUnreachable(refreshDetails());
  callsOf = now;
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && known.chosen !== null && !document.querySelector("dialog[open]")) close();
});
