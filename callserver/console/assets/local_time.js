// Default times and values of time fields.

import { now } from "./texts.js";

// Today at 18:00; from 18:00 to 21:00 the current time; after that tomorrow at 18:00.
export function thisEvening() {
  const at = now();
  if (at.getHours() >= 21) at.setDate(at.getDate() + 1);
  if (at.getHours() < 18 || at.getHours() >= 21) at.setHours(18, 0, 0, 0);
  return at;
}

export const localInput = (at) => new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
