// The seat's exchange does not answer and another does: the shift goes on there, by one button.

import { get } from "../api.js";
import { $, oneAtATime, show } from "../dom.js";
import { act, seat } from "./seat.js";

let moving = false;

// Whether the shift that ends is begun again at once.
export const moves = () => moving;

export function draws(at) {
  show($("#elsewhere"), at.state === "waiting" && at.reason === "another_exchange");
}

// `before(line)` prepares the telephone: a seat has its exchange for a whole shift, and the browser's telephone
// signs in at the new one before the next begins.
export function start(before) {
  const button = $("#elsewhere");
  const move = async () => {
    const { campaign, line } = seat;
    moving = true;
    try {
      await act("/off");
    } finally {
      moving = false;
    }
    await before(line);
    const { lines } = await get("/shift");
    await act("/shift", { campaign, line: lines.find(({ kind }) => kind === line)?.line });
    await act("/ready");
  };
  button.addEventListener("click", oneAtATime(button, move));
}
