// Twilio's telephone: its own SDK, bundled into vendor/twilio.js.
//
// The SDK gets our stream and our peer connection class, so that a silent listener's microphone is never
// requested, and muting and devices work as for the other kinds (microphone.js).

import { Device } from "../vendor/twilio.js";

const REFUSED = new Set([20101, 20102, 20103, 20104, 20107, 20151, 20157, 31202, 31203, 31204, 31205, 31207]);
// Legs are accepted without a click and nobody dials, so the SDK's own sounds are neither played nor fetched.
function silence() {
  const wav = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQIAAACAgA==";
  const bytes = Uint8Array.from(atob(wav), (character) => character.charCodeAt(0));
  const address = URL.createObjectURL(new Blob([bytes], { type: "audio/wav" }));
  return Object.fromEntries(Object.values(Device.SoundName).map((name) => [name, address]));
}

const UNREACHED = new Set([31003, 31005, 31009, 31530, 53000, 53001, 53405]);

export async function open({ twilio }, { microphone, onState, onIncoming, onOver, renew }) {
  class Watched extends RTCPeerConnection {
    constructor(...args) {
      super(...args);
      microphone.attach(this);
    }
  }

  const device = new Device(twilio.token, {
    edge: twilio.edge,
    codecPreferences: ["opus", "pcmu"],
    allowIncomingWhileBusy: true, // softphone.js replaces the older leg
    closeProtection: true,
    enableImprovedSignalingErrorPrecision: true,
    tokenRefreshMs: 60_000,
    logLevel: "silent",
    sounds: silence(),
    disableAudioContextSounds: true,
    publishEvents: false, // no call data for Twilio's statistics
    getUserMedia: async () => microphone.stream(),
    RTCPeerConnection: Watched,
  });

  function legOf(call) {
    const leg = {
      over: false,
      take: () => call.accept(),
      refuse: () => call.reject(),
      hangUp: () => call.disconnect(),
    };
    const over = () => {
      leg.over = true;
      onOver(leg);
    };
    for (const end of ["cancel", "disconnect", "reject"]) call.on(end, over);
    call.on("error", () => {});
    call.on("reconnecting", () => onState("reconnecting"));
    call.on("reconnected", () => onState("registered"));
    return leg;
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
  device.on("incoming", (call) => onIncoming(legOf(call)));
  device.on("tokenWillExpire", async () => device.updateToken((await renew()).twilio.token));
  device.on("error", (error) => {
    if (REFUSED.has(error.code)) {
      refused = true;
      onState("refused");
    } else if (UNREACHED.has(error.code) && device.state !== Device.State.Registered) {
      onState("unreachable");
    }
  });
  device.register().catch(() => {}); // the error event reports it

  return {
    renew: ({ twilio: fresh }) => device.updateToken(fresh.token),
    async call() {
      if (!twilio.calls_in) return;
      const call = await device.connect();
      const leg = Object.assign(legOf(call), { take() {} });
      call.on("accept", () => onIncoming(leg));
    },
    speaker: (id) => device.audio?.speakerDevices.set(id || "default").catch(() => {}),
    close: () => device.destroy(),
  };
}
