// How a seat is put into words: its state, why it waits, what comes next.

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
  const found = known.campaigns[seat.campaign];
  return found ? label(found.title) : "";
}

// Ready, and there is nobody to call.
export const isIdle = (seat) =>
  seat.state === "waiting" && Boolean(seat.reason) && seat.reason !== "call_rate";

export function why(seat) {
  if (seat.state !== "waiting" || !seat.reason) return "";
  const values = { when: seat.until ? when(seat.until) : "" };
  if (has(`floor.waiting.${seat.reason}`)) return t(`floor.waiting.${seat.reason}`, values);
  return has(`reason.${seat.reason}`) ? t(`reason.${seat.reason}`) : "";
}

// What else must be known about a seat, each in a few words.
export function notes(seat) {
  const found = [];
  if (seat.hand_at) found.push(t("floor.hand"));
  if (seat.outcome_owed && seat.state !== "wrapping_up") found.push(t("floor.owes"));
  if (!seat.connected && !["off", "connecting"].includes(seat.state)) found.push(t("floor.not_connected"));
  if (seat.wants === "off" && seat.state !== "off") found.push(t("floor.wants_off"));
  else if (seat.wants === "paused" && ["reserved", "ringing", "talking"].includes(seat.state)) {
    found.push(t("floor.wants_pause"));
  }
  for (const one of seat.listeners) {
    const name = one.user === known.me.id ? t("floor.you") : one.name;
    found.push(t("floor.heard", { name, mode: t(`listen_mode.${one.mode}`) }));
  }
  return found;
}
