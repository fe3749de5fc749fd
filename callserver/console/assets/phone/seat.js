// The seat's state and the requests that change it. Listeners are called with the new and the previous state.

import { get, post } from "../api.js";
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

let pending = Promise.resolve();

// Resolves when all requests so far are answered, whether they succeeded or not.
export const settled = () => pending;

export async function act(path, body = {}) {
  const answered = post(path, body).then(tell);
  pending = Promise.allSettled([pending, answered]);
  await answered;
}

export async function look() {
  tell(await get("/seat"));
}
