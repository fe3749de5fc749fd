// The outgoing sound of every leg: the microphone, or silence where the user may not be heard.
//
// A leg is a peer connection. Choosing another microphone, losing it, muting and listening silently only
// replace the track of its sender, so that the call itself is not affected.

import { toast } from "../dom.js";
import { t } from "../texts.js";

const TROUBLES = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "no_microphone",
  OverconstrainedError: "no_microphone",
};

// `changed` is called when the state has changed; `pretended`: no sound goes out at all.
export function outgoing(changed, pretended = false) {
  const legs = new Set();
  let track = null; // the microphone's, while it is open
  let quiet = null; // the silent one
  let chosen = "";
  let muted = false;
  let trouble = "";
  let wanted = false;

  function silence() {
    if (quiet?.readyState !== "live") {
      const context = new AudioContext();
      [quiet] = context.createMediaStreamDestination().stream.getAudioTracks();
      context.resume();
    }
    return quiet;
  }

  const now = () => track ?? silence();

  async function place() {
    if (track) track.enabled = !muted;
    forgetClosed();
    for (const leg of legs) {
      for (const sender of leg.getSenders()) {
        if (sender.track?.kind === "audio" && sender.track !== now()) await sender.replaceTrack(now());
      }
    }
  }

  // A listener's page has a leg for every call of a long shift.
  function forgetClosed() {
    for (const leg of legs) if (leg.connectionState === "closed") legs.delete(leg);
  }

  function release() {
    if (!track) return;
    track.onended = null;
    track.stop();
    track = null;
  }

  async function ask(device) {
    const audio = device ? { deviceId: { exact: device } } : true;
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    return stream.getAudioTracks()[0];
  }

  // Opens the chosen microphone, or the computer's default if that one is gone.
  async function open() {
    wanted = true;
    if (pretended) return;
    let opened = null;
    try {
      opened = await ask(chosen).catch((error) => {
        if (chosen && TROUBLES[error.name] === "no_microphone") return ask("");
        throw error;
      });
      trouble = "";
    } catch (error) {
      trouble = TROUBLES[error.name] ?? "busy_microphone";
    }
    release();
    if (!wanted) opened?.stop();
    track = wanted ? opened : null;
    if (track) track.onended = lost;
    await place();
    changed();
  }

  async function lost() {
    await open();
    if (track) toast(t("softphone.switched", { device: track.label }));
  }

  // If no microphone worked, one that is plugged in is used.
  const devices = () => wanted && trouble && trouble !== "denied" && open();
  navigator.mediaDevices?.addEventListener("devicechange", devices);

  return {
    get muted() {
      return muted;
    },
    get trouble() {
      return trouble;
    },
    open,
    close() {
      wanted = false;
      trouble = "";
      release();
      place();
    },
    async choose(device) {
      if (device === chosen) return;
      chosen = device;
      if (wanted) await open();
    },
    mute(on) {
      muted = on;
      if (track) track.enabled = !on;
    },
    stream: () => new MediaStream([now()]),
    // Keeps the track of this leg up to date from now on.
    attach(leg) {
      forgetClosed();
      legs.add(leg);
    },
  };
}
