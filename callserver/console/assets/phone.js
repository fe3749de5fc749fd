// The phoner's page: what stands where, and who hears of what. The parts are in phone/.

import { get } from "./api.js";
import { $, show, toast } from "./dom.js";
import { follow } from "./live.js";
import { look, onSeat, tell } from "./phone/acts.js";
import * as audio from "./phone/audio.js";
import * as card from "./phone/card.js";
import * as evening from "./phone/evening.js";
import * as outcomes from "./phone/outcomes.js";
import * as shift from "./phone/shift.js";
import * as state from "./phone/state.js";
import * as values from "./phone/values.js";
import { connect } from "./softphone.js";
import { t } from "./texts.js";

const { kind: softphone } = await get("/softphone");
let phone = null;
let connecting = false;

// The browser's telephone is on for as long as the seat is, when the seat's line is this browser.
async function withPhone(at) {
  const wanted = at.state !== "off" && at.line === "browser";
  if (wanted && !phone && !connecting) {
    connecting = true;
    try {
      phone = await connect({ onState: state.softState });
      phone.setInput(audio.microphone());
      phone.setOutput(audio.speaker());
      state.withPhone(phone);
    } finally {
      connecting = false;
    }
  } else if (!wanted && phone) {
    phone.disconnect();
    phone = null;
    state.withPhone(null);
    state.hideSoft();
  }
}

onSeat((at, before) => {
  card.draws(at);
  outcomes.draws(at);
  values.draws(at);
  show($("#rest"), !at.call);
  if (at.state === "off" && (before.state !== "off" || $("#shift").hidden)) shift.open(softphone !== "none");
  if (at.state === "off" && before.state !== "off") toast(t("phone.off.thanks"), "good");
  if (!["off", "paused"].includes(at.state) || (at.state === "paused" && before.state === "off")) shift.close();
  const another = before.call && before.call.attempt !== at.call?.attempt;
  if (another || (at.state !== before.state && ["paused", "off"].includes(at.state))) evening.look();
  withPhone(at);
});

audio.start(({ microphone, speaker }) => {
  phone?.setInput(microphone);
  phone?.setOutput(speaker);
});
card.start();
outcomes.start();
shift.start();
state.start(() => shift.open());
await values.start();
await look();
await evening.look();
follow(
  async () => {
    await look();
    await evening.look();
  },
  { seat: tell },
);
