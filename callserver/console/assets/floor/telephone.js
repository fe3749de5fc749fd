// The listener's own telephone in this browser: there from the first look at the floor, rung when she
// listens. Her microphone opens only to coach or to join, and closes again.

import { $, show } from "../dom.js";
import { connect, kindOf, WELL } from "../softphone.js";
import { t } from "../texts.js";
import { known, may, onChange } from "./store.js";

const open = () => known.mine?.open ?? null;
const speaks = () => Boolean(open()) && open().mode !== "silent";

let phone = null;
let spoke = false;

function say(state) {
  show($("#soft-line"), state !== "ended");
  $("#soft").textContent = t(`softphone.state.${state}`);
  $("#soft").className = `badge ${WELL.has(state) ? "good" : state === "connecting" ? "" : "warn"}`;
}

export async function start() {
  if (!may("listen") || !known.mine.allowed) return;
  const { missing } = await kindOf("listener");
  if (missing === "key") return; // a house without: her own telephone is rung
  phone = await connect({ as: "listener", expects: () => Boolean(open()), onState: say });
  phone.speaker(localStorage.getItem("speaker") ?? "");
  voice();
}

function voice() {
  if (!phone || speaks() === spoke) return;
  spoke = speaks();
  phone.speak(spoke);
}

onChange((what) => what.has("mine") && voice());
