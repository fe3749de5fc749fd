// What changes the seat: one request, and the seat as it is then, told to whoever shows it.

import { get, post } from "../api.js";
import { setClock } from "../texts.js";
import { keepingFocus } from "./focus.js";

const listeners = [];

export let seat = { state: "off", call: null };

export const onSeat = (listener) => listeners.push(listener);

export function tell(found) {
  if (new Date(found.now) < new Date(seat.now ?? 0)) return; // an answer that was overtaken by news
  setClock(found.now);
  const before = seat;
  seat = found;
  keepingFocus(() => {
    for (const listener of listeners) listener(seat, before);
  });
}

let pending = Promise.resolve();

// Nothing that was pressed is on its way any more, whether it went well or not.
export const settled = () => pending;

export async function act(path, body = {}) {
  const answered = post(path, body).then(tell);
  pending = Promise.allSettled([pending, answered]);
  await answered;
}

export async function look() {
  tell(await get("/seat"));
}
