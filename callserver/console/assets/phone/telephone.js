// The browser's telephone of this page: on before the shift begins, off when it is over.

import { WELL, connect } from "../softphone.js";
import { t } from "../texts.js";
import { seat } from "./acts.js";
import * as audio from "./audio.js";
import * as state from "./state.js";

let phone = null; // or the promise of one
let said = "connecting";

const wanted = (at) => at.state !== "off" && at.line === "browser";

function on() {
  phone ??= connect({
    as: "phoner",
    expects: () => wanted(seat),
    onState(now) {
      said = now;
      state.softState(now, WELL.has(now));
    },
  }).then((found) => {
    found.microphone(audio.microphone());
    found.speaker(audio.speaker());
    state.withPhone(found);
    return found;
  });
  return phone;
}

async function off() {
  const found = await phone;
  phone = null;
  found?.disconnect();
  state.withPhone(null);
}

// Nobody goes on shift in the browser before its telephone is there.
export async function before(line) {
  if (line !== "browser") return;
  const found = await on();
  if (!(await found.ready())) throw new Error(t("softphone.not_there", { why: t(`softphone.state.${said}`) }));
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
