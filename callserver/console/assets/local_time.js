// The default time of time fields.

import { local } from "./home.js";
import { now } from "./texts.js";

const DAY_MS = 86_400_000;

// Today at 18:00; from 18:00 to 21:00 the current time; after that tomorrow at 18:00.
export function thisEvening() {
  const at = local(now());
  const hour = Number(at.slice(11, 13));
  if (hour >= 18 && hour < 21) return at;
  const day = hour < 18 ? at : local(now().getTime() + DAY_MS);
  return `${day.slice(0, 10)}T18:00`;
}
