// Twilio's telephone: its own SDK, bundled by scripts/assets into vendor/twilio.js.
//
// The SDK is handed our stream and a peer connection that we may look after, so that a silent listener's
// microphone is never even asked for, and mute and devices are one matter for every kind (microphone.js).

import { Device } from "../vendor/twilio.js";

const REFUSED = new Set([20101, 20102, 20103, 20104, 20107, 20151, 20157, 31202, 31203, 31204, 31205, 31207]);
// Legs are taken by themselves and nobody dials, so no sound of the SDK's own is played or fetched.
function silence() {
  const wav = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQIAAACAgA==";
  const bytes = Uint8Array.from(atob(wav), (one) => one.charCodeAt(0));
  const address = URL.createObjectURL(new Blob([bytes], { type: "audio/wav" }));
  return Object.fromEntries(Object.values(Device.SoundName).map((name) => [name, address]));
}

const UNREACHED = new Set([31003, 31005, 31009, 31530, 53000, 53001, 53405]);

export async function open({ twilio }, { microphone, onState, onRung, onOver, renew }) {
  class Watched extends RTCPeerConnection {
    constructor(...args) {
      super(...args);
      microphone.attach(this);
    }
  }

  const device = new Device(twilio.token, {
    edge: twilio.edge,
    codecPreferences: ["opus", "pcmu"],
    allowIncomingWhileBusy: true, // the newest leg is hers: softphone.js ends the one before
    closeProtection: true,
    enableImprovedSignalingErrorPrecision: true,
    tokenRefreshMs: 60_000,
    logLevel: "silent",
    sounds: silence(),
    disableAudioContextSounds: true,
    publishEvents: false, // nothing about calls goes to statistics of Twilio's
    getUserMedia: async () => microphone.stream(),
    RTCPeerConnection: Watched,
  });

  function leg(call) {
    const found = {
      over: false,
      take: () => call.accept(),
      refuse: () => call.reject(),
      hangUp: () => call.disconnect(),
    };
    const over = () => {
      found.over = true;
      onOver(found);
    };
    for (const end of ["cancel", "disconnect", "reject"]) call.on(end, over);
    call.on("error", () => {});
    call.on("reconnecting", () => onState("reconnecting"));
    call.on("reconnected", () => onState("registered"));
    return found;
  }

  let refused = false;
  device.on("registering", () => onState("connecting"));
  device.on("registered", () => {
    refused = false;
    device.audio?.incoming(false);
    device.audio?.disconnect(false);
    device.audio?.outgoing(false);
    onState("registered");
  });
  device.on("unregistered", () => onState(refused ? "refused" : "reconnecting"));
  device.on("incoming", (call) => onRung(leg(call)));
  device.on("tokenWillExpire", async () => device.updateToken((await renew()).twilio.token));
  device.on("error", (error) => {
    if (REFUSED.has(error.code)) {
      refused = true;
      onState("refused");
    } else if (UNREACHED.has(error.code) && device.state !== Device.State.Registered) {
      onState("unreachable");
    }
  });
  device.register().catch(() => {}); // told by the error event

  return {
    renew: ({ twilio: fresh }) => device.updateToken(fresh.token),
    async call() {
      if (!twilio.calls_in) return;
      const call = await device.connect();
      const found = Object.assign(leg(call), { take() {} });
      call.on("accept", () => onRung(found));
    },
    speaker: (id) => device.audio?.speakerDevices.set(id || "default").catch(() => {}),
    close: () => device.destroy(),
  };
}
