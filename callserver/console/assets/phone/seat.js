// The seat's state and the requests that change it. Listeners are called with the new and the previous state.

import { get, post } from "../api.js";
import { sleep } from "../softphones/browser.js";
import { setClock } from "../texts.js";
import { keepingFocus } from "./focus.js";

const listeners = [];

export let seat = { state: "off", call: null };

export const onSeat = (listener) => listeners.push(listener);

export function tell(update) {
  if (new Date(update.now) < new Date(seat.now ?? 0)) return; // an event has brought a newer state
  setClock(update.now);
  const before = seat;
  seat = update;
  keepingFocus(() => {
    for (const listener of listeners) listener(seat, before);
  });
}

// What decides what comes next is sent one at a time, in the order of the clicks: on another connection a later one
// may overtake, and the breather after Ready would end in a call. Hanging up waits for nothing.
const IN_ORDER = new Set(["/shift", "/ready", "/pause", "/outcome", "/off"]);
const LONGEST_MS = 10_000;

let last = Promise.resolve(); // of these
let pending = Promise.resolve();

function inOrder(path, body) {
  if (!IN_ORDER.has(path)) return post(path, body);
  const answered = Promise.race([last, sleep(LONGEST_MS)]).then(() => post(path, body));
  last = answered.catch(() => {});
  return answered;
}

// Resolves when all requests so far are answered, whether they succeeded or not.
export const settled = () => pending;

export async function act(path, body = {}) {
  const answered = inOrder(path, body).then(tell);
  pending = Promise.allSettled([pending, answered]);
  await answered;
}

export async function look() {
  tell(await get("/seat"));
}
