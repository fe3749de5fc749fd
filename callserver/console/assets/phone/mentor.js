// A trainee listens to their mentor's calls from a pause. They are not heard, and it ends with the pause.

import { get, post, unlessUnreachable } from "../api.js";
import { $, onPress, show, toast } from "../dom.js";
import { badge, connect } from "../softphone.js";
import { has, t } from "../texts.js";
import { seat } from "./seat.js";

const AGAIN_MS = 15_000; // no event says whether the mentor is on shift

let mine = { open: null, mentor: null, allowed: false };
let phone = null; // or its promise
let isBeginning = false; // the telephone is kept although nobody is listened to yet

const resting = (at) => ["paused", "off"].includes(at.state);

export async function look() {
  take(await get("/listenings/mine"));
}

export function take(state) {
  const before = mine.open?.id;
  mine = state;
  const { ended } = state;
  if (before && ended?.id === before && has(`listen_end.${ended.because}`)) {
    toast(t(`listen_end.${ended.because}`, { name: ended.name }));
  }
  draws(seat);
  if (mine.open || isBeginning || !phone) return;
  const over = phone;
  phone = null;
  over.then((telephone) => telephone.disconnect());
}

// Where the house has no browser telephone, the trainee's own is called.
function say(state) {
  badge($("#mentor-line"), state);
  if (state === "missing") show($("#mentor-line"), false);
}

async function listen() {
  isBeginning = true;
  try {
    phone ??= connect({ as: "trainee", expects: () => Boolean(mine.open), onState: say });
    phone.catch(() => (phone = null)); // the server did not answer: the next click connects again
    await (await phone).ready(); // without it the trainee's own telephone is called
    take(await post("/listenings", { seat: mine.mentor.seat, mode: "silent", why: "mentor" }));
  } finally {
    isBeginning = false;
  }
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

async function lookAgain() {
  if (!document.hidden && resting(seat) && !mine.open) await unlessUnreachable(look());
}

export function start() {
  setInterval(lookAgain, AGAIN_MS);
  onPress($("#mentor-act"), () => (mine.open ? stop() : listen()));
}
