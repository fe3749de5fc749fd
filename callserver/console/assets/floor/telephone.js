// The listener's telephone in this browser: connected once the floor is open, and called when they listen.
// Their microphone opens only to coach or to join, and closes afterwards.

import { $, show } from "../dom.js";
import { badge, connect, kindOf, untilReached } from "../softphone.js";
import { known, may, onChange } from "./store.js";

const open = () => known.mine?.open ?? null;
const speaks = () => Boolean(open()) && open().mode !== "silent";

let phone = null;
let speaking = false;

function say(state) {
  show($("#softphone-line"), state !== "ended");
  badge($("#softphone"), state);
}

export async function start() {
  if (!may("listen") || !known.mine.allowed) return;
  const { missing } = await untilReached(() => kindOf("listener"), say);
  if (missing === "key") return say("ended"); // no browser telephone: the listener's own telephone is called
  known.hasBrowserPhone = true;
  const options = { as: "listener", expects: () => Boolean(open()), onState: say };
  phone = await untilReached(() => connect(options), say);
  phone.speaker(localStorage.getItem("speaker") ?? "");
  voice();
}

function voice() {
  if (!phone || speaks() === speaking) return;
  speaking = speaks();
  phone.speak(speaking);
}

onChange((what) => what.has("mine") && voice());
