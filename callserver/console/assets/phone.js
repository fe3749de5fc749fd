// The phoner's page: what stands where, and who hears of what. The parts are in phone/.

import { $, show, toast } from "./dom.js";
import { follow } from "./live.js";
import { look, onSeat, tell } from "./phone/acts.js";
import * as audio from "./phone/audio.js";
import * as card from "./phone/card.js";
import * as dial from "./phone/dial.js";
import * as evening from "./phone/evening.js";
import * as heard from "./phone/heard.js";
import * as mentor from "./phone/mentor.js";
import * as outcomes from "./phone/outcomes.js";
import * as shift from "./phone/shift.js";
import * as state from "./phone/state.js";
import * as telephone from "./phone/telephone.js";
import * as values from "./phone/values.js";
import { kindOf } from "./softphone.js";
import { t } from "./texts.js";

const { missing } = await kindOf("phoner");

onSeat((at, before) => {
  card.draws(at);
  outcomes.draws(at);
  values.draws(at);
  heard.draws(at);
  mentor.draws(at);
  dial.draws(at);
  show($("#rest"), !at.call);
  if (at.state === "off" && (before.state !== "off" || $("#shift").hidden)) shift.open(missing, before.state !== "off");
  if (at.state === "off" && before.state !== "off") toast(t("phone.off.thanks"), "good");
  if (!["off", "paused"].includes(at.state) || (at.state === "paused" && before.state === "off")) shift.close();
  const another = before.call && before.call.attempt !== at.call?.attempt;
  if (another || (at.state !== before.state && ["paused", "off"].includes(at.state))) {
    lookBack();
    heard.seen();
  }
  telephone.follows(at, before);
});

async function lookBack() {
  await evening.look();
  dial.takes(evening.latest());
}

audio.start(telephone.sounds);
card.start();
heard.start();
mentor.start();
outcomes.start();
shift.start(telephone.before);
state.start(() => shift.open());
dial.start();
await values.start();
async function anew() {
  await look();
  await Promise.all([lookBack(), heard.look(), mentor.look()]);
}
await anew();
follow(anew, { seat: tell, heard: heard.take, listening: mentor.take });
