// A trainee hears her mentor's calls from a pause of her own. Nothing of her is heard, and it ends with
// the pause.

import { get, post } from "../api.js";
import { $, show, toast } from "../dom.js";
import { connect, WELL } from "../softphone.js";
import { has, t } from "../texts.js";
import { seat } from "./seat.js";

const AGAIN_MS = 15_000; // whether her mentor has come is nobody's news but hers

let mine = { open: null, mentor: null, allowed: false };
let phone = null; // or the promise of one

const resting = (at) => ["paused", "off"].includes(at.state);

export async function look() {
  take(await get("/listenings/mine"));
}

export function take(found) {
  const before = mine.open?.id;
  mine = found;
  const { ended } = found;
  if (before && ended?.id === before && has(`listen_end.${ended.because}`)) {
    toast(t(`listen_end.${ended.because}`, { name: ended.name }));
  }
  draws(seat);
  if (mine.open || !phone) return;
  const over = phone;
  phone = null;
  over.then((one) => one.disconnect());
}

function say(state) {
  $("#mentor-line").textContent = t(`softphone.state.${state}`);
  $("#mentor-line").className = `badge ${WELL.has(state) ? "good" : state === "connecting" ? "" : "warn"}`;
  show($("#mentor-line"), state !== "ended" && state !== "missing");
}

async function listen() {
  phone ??= connect({ as: "trainee", expects: () => Boolean(mine.open), onState: say });
  await (await phone).ready(); // without one her own telephone is rung
  take(await post("/listenings", { seat: mine.mentor.seat, mode: "silent", why: "mentor" }));
}

const stop = async () => take(await post("/listenings/stop"));

export function draws(at) {
  const { open, mentor, allowed } = mine;
  const rests = resting(at);
  if (open && !rests) stop();
  show($("#mentor"), rests && allowed && Boolean(mentor || open));
  if (!mentor && !open) return;
  const name = open?.name ?? mentor.name;
  const words = open ? "hears" : mentor.connected ? "there" : "away";
  $("#mentor-words").textContent = t(`phone.mentor.${words}`, { name });
  $("#mentor-act").textContent = t(open ? "phone.mentor.stop" : "phone.mentor.listen");
  $("#mentor-act").disabled = !open && !mentor.connected;
}

// A server that is away says so in the page's banner.
async function lookAgain() {
  if (document.hidden || !resting(seat) || mine.open) return;
  await look().catch((error) => {
    if (error.status !== 0) throw error;
  });
}

export function start() {
  setInterval(lookAgain, AGAIN_MS);
  $("#mentor-act").addEventListener("click", async () => {
    try {
      await (mine.open ? stop() : listen());
    } catch (error) {
      toast(error.message, "bad");
    }
  });
}
