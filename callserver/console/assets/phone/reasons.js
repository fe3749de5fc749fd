// Texts of reasons and remaining times.

import { has, now, t, when } from "../texts.js";

// Why a seat waits or pauses, or why a campaign cannot call; "" if there is nothing to say.
export function why(reason, until) {
  if (!reason) return "";
  const key = [
    `phone.waiting.${reason}`,
    `phone.pause.${reason}`,
    `waiting.${reason}`,
    `reason.${reason}`,
  ].find(has);
  return key ? t(key, { when: until ? when(until) : "" }) : "";
}

export function left(until) {
  const seconds = Math.max(0, Math.ceil((new Date(until) - now()) / 1000));
  const two = (value) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
