// The phoner's page: starts its parts (phone/) and passes changes of the seat to them.

import { stayWhile, unlessUnreachable } from "./api.js";
import { $, newest, show, toast } from "./dom.js";
import { follow } from "./live.js";
import * as card from "./phone/card.js";
import * as documentsReminder from "./phone/documents_reminder.js";
import * as elsewhere from "./phone/elsewhere.js";
import * as harassment from "./phone/harassment.js";
import * as listenedToMe from "./phone/listened_to_me.js";
import * as manualDial from "./phone/manual_dial.js";
import * as mentor from "./phone/mentor.js";
import * as notices from "./phone/notices.js";
import * as outcomes from "./phone/outcomes.js";
import * as ownCalls from "./phone/own_calls.js";
import * as privacyNotice from "./phone/privacy_notice.js";
import { look, onSeat, seat, tell } from "./phone/seat.js";
import * as seatBar from "./phone/seat_bar.js";
import * as shift from "./phone/shift.js";
import * as soundCheck from "./phone/sound_check.js";
import * as surveyReminder from "./phone/survey_reminder.js";
import * as telephone from "./phone/telephone.js";
import * as values from "./phone/values.js";
import { kindOf } from "./softphone.js";
import { t } from "./texts.js";

let missing = ""; // what the browser telephone lacks here

const lookBack = newest(async () => {
  await ownCalls.look();
  manualDial.takes(ownCalls.latest());
});

onSeat((at, before) => {
  card.draws(at);
  outcomes.draws(at);
  values.draws(at);
  listenedToMe.draws(at);
  mentor.draws(at);
  manualDial.draws(at);
  surveyReminder.draws(at);
  documentsReminder.draws(at);
  notices.draws(at);
  harassment.draws(at);
  privacyNotice.draws(at);
  elsewhere.draws(at);
  show($("#rest"), !at.call);
  if (at.state === "off" && (before.state !== "off" || $("#shift").hidden))
    shift.open(missing, before.state !== "off");
  if (at.state === "off" && before.state !== "off" && !elsewhere.moves())
    toast(t("phone.off.thanks"), "good");
  if (!["off", "paused"].includes(at.state) || (at.state === "paused" && before.state === "off"))
    shift.close();
  const another = before.call && before.call.attempt !== at.call?.attempt;
  if (another || (at.state !== before.state && ["paused", "off"].includes(at.state))) {
    unlessUnreachable(lookBack());
    unlessUnreachable(listenedToMe.seen());
  }
  telephone.follows(at, before);
});

const isInCall = () => seatBar.IN_CALL.has(seat.state);
stayWhile(isInCall);
// With the page the browser's telephone would go, and the talk with it: the browser asks before it leaves.
window.addEventListener("beforeunload", (event) => {
  if (seat.line === "browser" && isInCall()) event.preventDefault();
});
soundCheck.start(telephone.sounds);
card.start();
listenedToMe.start();
mentor.start();
outcomes.start();
shift.start(telephone.before);
seatBar.start(() => shift.open());
manualDial.start();
harassment.start();
privacyNotice.start();
elsewhere.start(telephone.before);
values.start();
async function refresh() {
  ({ missing } = await kindOf("phoner"));
  await values.look();
  await look();
  await Promise.all([
    lookBack(),
    ...[listenedToMe, mentor, surveyReminder, documentsReminder, notices].map((part) => part.look()),
  ]);
}
await follow(refresh, {
  seat: tell,
  listened_to_me: listenedToMe.take,
  listening: mentor.take,
  survey: surveyReminder.take,
  training: documentsReminder.take,
  notices: notices.take,
});
