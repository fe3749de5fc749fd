// The browser's telephone of this page: on before the shift begins, off when it is over.

import { connect, WELL } from "../softphone.js";
import { t } from "../texts.js";
import { seat } from "./seat.js";
import * as seatBar from "./seat_bar.js";
import * as soundCheck from "./sound_check.js";

let phone = null; // or the promise of one
let said = "connecting";

const wanted = (at) => at.state !== "off" && at.line === "browser";

function on() {
  phone ??= connect({
    as: "phoner",
    expects: () => wanted(seat),
    onState(now) {
      said = now;
      seatBar.softState(now, WELL.has(now));
    },
  }).then((found) => {
    found.microphone(soundCheck.microphone());
    found.speaker(soundCheck.speaker());
    seatBar.withPhone(found);
    return found;
  });
  return phone;
}

async function off() {
  const found = await phone;
  phone = null;
  found?.disconnect();
  seatBar.withPhone(null);
}

// Nobody goes on shift in the browser before its telephone is there.
export async function before(line) {
  if (line !== "browser") return;
  const found = await on();
  if (!(await found.ready()))
    throw new Error(t("softphone.not_there", { why: t(`softphone.state.${said}`) }));
}

export function follows(at, earlier) {
  if (wanted(at)) on();
  else if (phone && (wanted(earlier) || at.state !== "off")) off();
}

export async function sounds({ microphone, speaker }) {
  const found = await phone;
  await found?.microphone(microphone);
  found?.speaker(speaker);
}
