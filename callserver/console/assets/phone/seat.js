// The seat's state and the requests that change it. Listeners are called with the new and the previous state.

import { get, post } from "../api.js";
import { sleep } from "../softphones/browser.js";
import { setClock } from "../texts.js";
import { keepingFocus } from "./focus.js";

const listeners = [];

export let seat = { state: "off", call: null };

// Somebody is on the line, or was and the phoner has not finished with the call.
export const hasAnsweredCall = (at) =>
  at.state === "talking" || at.outcome_owed || at.state === "wrapping_up";

export const onSeat = (listener) => listeners.push(listener);

let taken = 0; // how many states the page has shown

// `asked`: what `taken` was when an answer was asked for. Nothing came meanwhile: the answer is newer, even where the
// server's clock was set back. What seems older than what is shown is dropped; an event that does, asks once more.
export function tell(update, asked = null) {
  const seemsOlder = new Date(update.now) < new Date(seat.now ?? 0);
  if (seemsOlder && asked !== taken) return asked === null ? look() : undefined;
  taken += 1;
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
  const asked = taken;
  const answered = inOrder(path, body).then((update) => tell(update, asked));
  pending = Promise.allSettled([pending, answered]);
  await answered;
}

export async function look() {
  const asked = taken;
  await tell(await get("/seat"), asked);
}
