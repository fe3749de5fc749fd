// The bar at the top: the state of the seat, why and until when, and the actions.

import { shelf } from "../books/library.js";
import { $, el, scrollsBelow, show } from "../dom.js";
import { badge } from "../softphone.js";
import { lasting, now, t, when } from "../texts.js";
import { bind, help } from "./keys.js";
import { left, why } from "./reasons.js";
import { act, onSeat, seat } from "./seat.js";

export const IN_CALL = new Set(["reserved", "ringing", "talking"]);
const HOUR = 3_600_000;
const PAUSES = ["pause", "meal", "talk", "reading", "technical"];

const buttons = {
  ready: $("#ready"),
  "hang-up": $("#hang-up"),
  mute: $("#mute"),
  pause: $("#pause"),
  breather: $("#breather"),
  hand: $("#hand"),
  campaign: $("#campaign"),
  off: $("#off"),
};

function heading(at) {
  if (at.outcome_owed && at.state !== "wrapping_up") return "owed";
  return at.state === "paused" && at.reason === "breather" ? "breather" : at.state;
}

// The sentence below the heading; a countdown changes every second.
function sentence(at) {
  const rests = at.reason === "breather" ? "breather" : "paused";
  const soon = IN_CALL.has(at.state) || at.outcome_owed ? { paused: rests, off: "off" }[at.wants] : null;
  const then = soon ? ` ${t(`phone.next.${soon}`)}` : "";
  switch (heading(at)) {
    case "connecting":
      if (at.reason.startsWith("line_")) return t(`error.${at.reason}`);
      return t(
        `phone.connecting.${{ leg_lost: "lost", leg_old: "old" }[at.reason] ?? at.line ?? "telephone"}`,
      );
    case "waiting":
      return at.reason ? waiting(at) : t("phone.looking");
    case "reserved":
    case "ringing":
      return t("phone.reserved") + then;
    case "talking":
      return then.trim();
    case "wrapping_up":
      return (at.until ? t("phone.wrap_up", { left: left(at.until) }) : t("phone.owed")) + then;
    case "owed":
      return t("phone.owed") + then;
    case "breather":
      return t("phone.breather.text");
    case "paused":
      if (at.reason === "leg_lost") return t("phone.reconnected");
      return at.reason === "arrived" ? t("phone.arrived") : why(at.reason);
    default:
      return "";
  }
}

function waiting(at) {
  const text = at.said ? t("phone.waiting.paused_said", { why: at.said }) : why(at.reason, at.until);
  const soon = at.until && new Date(at.until) - now() < HOUR; // later than that, the time itself is enough
  return soon ? t("phone.waiting_until", { why: text, left: left(at.until) }) : text;
}

function tick() {
  if (seat.state === "off") return;
  $("#timer").textContent =
    ["waiting", "talking", "paused"].includes(seat.state) && !seat.outcome_owed ? lasting(seat.since) : "";
  const text = sentence(seat);
  if ($("#reason").textContent !== text) $("#reason").textContent = text;
}

function may(at) {
  const resting = ["paused", "waiting", "connecting"].includes(at.state) && !at.outcome_owed;
  return {
    ready: (at.state === "paused" && !at.outcome_owed) || (at.wants === "paused" && IN_CALL.has(at.state)),
    "hang-up": IN_CALL.has(at.state),
    mute: Boolean(phone) && at.line === "browser",
    pause: at.wants !== "paused" || (at.state === "paused" && resting), // in a pause: to choose its reason
    breather: !(at.wants === "paused" && at.reason === "breather"),
    hand: true,
    campaign: at.state === "paused" && resting,
    off: at.wants !== "off",
  };
}

function draw(at) {
  show($("#seat"), at.state !== "off");
  if (at.state === "off") return;
  const name = heading(at);
  $("#seat").dataset.state = name;
  const text = t(`phone.state.${name}`);
  if ($("#state").textContent !== text) $("#state").textContent = text;
  const allowed = may(at);
  for (const [act, button] of Object.entries(buttons)) show(button, allowed[act]);
  const up = at.hand_at !== null;
  buttons.hand.classList.toggle("on", up);
  buttons.ready.firstChild.textContent = t(IN_CALL.has(at.state) ? "phone.do.ready_after" : "phone.do.ready");
  buttons.ready.classList.toggle("big", !IN_CALL.has(at.state));
  buttons.hand.firstChild.textContent = t(up ? "phone.do.hand_down" : "phone.do.hand");
  kindWords(at, up);
  tick();
}

let hint = "";
// Another part of the page suggests something; "" removes it.
export function suggest(text) {
  hint = text;
  kindWords(seat, seat.hand_at !== null);
}

function kindWords(at, up) {
  const words = [];
  if (heading(at) === "breather" && !up) words.push(t("phone.breather.offer"));
  if (disconnected && at.state === "talking") words.push(t("phone.line_may_be_over"));
  if (up) words.push(t("phone.hand.up_since", { when: when(at.hand_at) }));
  if (hint && !IN_CALL.has(at.state) && at.reason !== "breather") words.push(hint);
  const text = words.join(" ");
  if ($("#kind-words").textContent !== text) $("#kind-words").textContent = text;
  show($("#kind-words"), Boolean(text));
}

// -- the browser's own telephone ------------------------------------------------------------------

let phone = null;

export function withPhone(telephone) {
  phone = telephone?.kind === "none" ? null : telephone;
  drawMute();
  draw(seat);
}

const DISCONNECTED = new Set(["reconnecting", "unreachable"]);
let disconnected = false;

export function softState(state) {
  disconnected = DISCONNECTED.has(state);
  kindWords(seat, seat.hand_at !== null);
  badge($("#softphone"), state);
}

// Both the button and the badge show that the phoner is muted.
function mute() {
  phone.mute(!phone.muted);
  drawMute();
}

function drawMute() {
  const muted = Boolean(phone?.muted);
  buttons.mute.classList.toggle("on", muted);
  buttons.mute.setAttribute("aria-pressed", String(muted));
  buttons.mute.firstChild.textContent = t(muted ? "phone.do.unmute" : "phone.do.mute");
}

// -- acting ---------------------------------------------------------------------------------------

const pauses = PAUSES.map((reason, position) =>
  el(
    "button",
    { type: "button", onclick: () => rest(reason) },
    t(`phone.pause.${reason}`),
    el("kbd", { "aria-hidden": "true" }, position + 1),
  ),
);

async function rest(reason) {
  $("#pause-dialog").close();
  await act("/pause", { reason });
}

async function off() {
  const dialog = $("#off-dialog");
  dialog.returnValue = "";
  dialog.showModal();
  dialog.addEventListener("close", () => dialog.returnValue === "off" && act("/off"), { once: true });
}

export function start(changeCampaign) {
  scrollsBelow($("#seat"));
  $("#pauses").append(...pauses);
  $("#pause-dialog").addEventListener("keydown", (event) => pauses[Number(event.key) - 1]?.click());
  const does = {
    ready: () => act("/ready"),
    // Of a double click, the second must not end the next call.
    "hang-up": () => act("/hang-up", { attempt: seat.call?.attempt ?? null }),
    mute,
    pause: () => $("#pause-dialog").showModal(),
    breather: () => rest("breather"),
    hand: () => act("/hand", { up: seat.hand_at === null }),
    campaign: changeCampaign,
    off,
  };
  for (const [name, button] of Object.entries(buttons)) button.addEventListener("click", does[name]);
  const books = $("#books");
  books.addEventListener("click", async () => {
    $("#books-dialog").showModal();
    await shelf($("#book-list"));
    $("#book-list input").focus();
  });
  $("#help").addEventListener("click", help);
  const keys = { r: "ready", x: "hang-up", m: "mute", p: "pause", b: "breather", h: "hand" };
  for (const [key, name] of Object.entries(keys)) bind(key, buttons[name]);
  bind("l", books);
  $("#help").append(el("kbd", { "aria-hidden": "true" }, "?"));
  onSeat(draw);
  setInterval(tick, 500);
}
