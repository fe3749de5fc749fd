// What changes the seat: one request, and the seat as it is then, told to whoever shows it.

import { get, post } from "../api.js";
import { $, passFocus } from "../dom.js";
import { setClock } from "../texts.js";

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

// What had the focus may be gone with the state it belonged to: then the seat's heading has it, from
// where the next Tab is the first thing one can do now.
export function keepingFocus(work) {
  const focused = document.activeElement;
  work();
  passFocus(focused, $("#state"));
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
