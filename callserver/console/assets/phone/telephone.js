// The browser telephone of the phoner: connected before the shift begins, disconnected after it.

import { post } from "../api.js";
import { toast } from "../dom.js";
import { connect } from "../softphone.js";
import { sleep } from "../softphones/browser.js";
import { t } from "../texts.js";
import { seat } from "./seat.js";
import * as seatBar from "./seat_bar.js";
import * as soundCheck from "./sound_check.js";

const AGAIN_MS = 2000;

let phone = null; // a promise
let softState = "connecting";

const wanted = (at) => at.state !== "off" && at.line === "browser";

// The server asks the provider, which may know it a moment later.
async function cutOff() {
  for (const wait of [0, 1500]) {
    await sleep(wait);
    if (wanted(seat)) await post("/line/over").catch(() => {}); // the provider reports it as well
  }
}

function on() {
  phone ??= connect({
    as: "phoner",
    expects: () => wanted(seat),
    onLost: cutOff,
    onState(now) {
      softState = now;
      seatBar.softState(now);
    },
  }).then((telephone) => {
    telephone.microphone(soundCheck.microphone());
    telephone.speaker(soundCheck.speaker());
    seatBar.withPhone(telephone);
    return telephone;
  });
  phone.catch(() => {
    phone = null; // the server did not answer: the next shift begins with a new one
    setTimeout(() => wanted(seat) && on(), AGAIN_MS); // a page that was opened in a shift tries again
  });
  return phone;
}

async function off() {
  const ending = phone;
  phone = null;
  (await ending)?.disconnect();
  if (!phone) seatBar.withPhone(null);
}

// A shift in the browser begins only when its telephone works.
export async function before(line) {
  if (line !== "browser") return;
  const telephone = await on();
  if (!(await telephone.ready()))
    throw new Error(t("softphone.not_there", { why: t(`softphone.state.${softState}`) }));
}

// A seat that was given another exchange in a shift: the telephone signs in there, and calls in.
async function moveTo() {
  toast(t("phone.moved"));
  await off();
  on();
}

export function follows(at, earlier) {
  const moved = at.state === "connecting" && at.exchange !== earlier.exchange;
  if (phone && moved && wanted(at) && wanted(earlier)) moveTo();
  else if (wanted(at)) on();
  else if (phone && (wanted(earlier) || at.state !== "off")) off();
}

export async function sounds({ microphone, speaker }) {
  const telephone = await phone;
  await telephone?.microphone(microphone);
  telephone?.speaker(speaker);
}
