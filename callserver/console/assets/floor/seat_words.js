// Texts about a seat: its state, its campaign, why it waits, and notes.

import { has, label, t, when } from "../texts.js";
import { known } from "./store.js";

export const TONES = {
  off: "",
  connecting: "warn",
  waiting: "good",
  reserved: "talk",
  ringing: "talk",
  talking: "talk",
  wrapping_up: "wrap",
  paused: "rest",
};

export const state = (seat) => t(`floor.state.${seat.state}`);

export function campaign(seat) {
  const shown = known.campaigns[seat.campaign];
  return shown ? label(shown.title) : "";
}

// The phoner is ready, but no call can be made.
export const isIdle = (seat) =>
  seat.state === "waiting" && Boolean(seat.reason) && seat.reason !== "call_rate";

export function why(seat) {
  if (seat.state !== "waiting" || !seat.reason) return "";
  const values = { when: seat.until ? when(seat.until) : "" };
  if (has(`floor.waiting.${seat.reason}`)) return t(`floor.waiting.${seat.reason}`, values);
  return has(`reason.${seat.reason}`) ? t(`reason.${seat.reason}`) : "";
}

export function notes(seat) {
  const texts = [];
  if (seat.hand_at) texts.push(t("floor.hand"));
  if (seat.outcome_owed && seat.state !== "wrapping_up") texts.push(t("floor.owes"));
  if (!seat.connected && !["off", "connecting"].includes(seat.state)) texts.push(t("floor.not_connected"));
  if (seat.wants === "off" && seat.state !== "off") texts.push(t("floor.wants_off"));
  else if (seat.wants === "paused" && ["reserved", "ringing", "talking"].includes(seat.state)) {
    texts.push(t("floor.wants_pause"));
  }
  for (const listener of seat.listeners) {
    const family = listener.user === known.me.id ? "floor.you_listen" : "floor.listens";
    texts.push(t(`${family}.${listener.mode}`, { name: listener.name }));
  }
  return texts;
}
