// Times as a form's field holds them.

import { now } from "./texts.js";

// This evening at six; when that is over, now until nine, then tomorrow.
export function thisEvening() {
  const at = now();
  if (at.getHours() >= 21) at.setDate(at.getDate() + 1);
  if (at.getHours() < 18 || at.getHours() >= 21) at.setHours(18, 0, 0, 0);
  return at;
}

export const localInput = (at) => new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
