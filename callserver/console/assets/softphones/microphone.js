// What goes out on every leg: the microphone, or silence where nobody may be heard.
//
// A leg is a peer connection. Choosing another microphone, losing one, muting and a listener's silence
// only change the track that its sender sends: the call never notices.

import { toast } from "../dom.js";
import { t } from "../texts.js";

const TROUBLES = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "no_microphone",
  OverconstrainedError: "no_microphone",
};

// `changed` hears of anything that a person would want to know; `pretended`: no sound goes out at all.
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
    for (const leg of legs) {
      if (leg.connectionState === "closed") legs.delete(leg);
      else
        for (const sender of leg.getSenders()) {
          if (sender.track?.kind === "audio" && sender.track !== now()) await sender.replaceTrack(now());
        }
    }
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

  // The one that was chosen; when it is gone, the computer's own choice.
  async function open() {
    wanted = true;
    if (pretended) return;
    let found = null;
    try {
      found = await ask(chosen).catch((error) => {
        if (chosen && TROUBLES[error.name] === "no_microphone") return ask("");
        throw error;
      });
      trouble = "";
    } catch (error) {
      trouble = TROUBLES[error.name] ?? "busy_microphone";
    }
    release();
    if (!wanted) found?.stop();
    track = wanted ? found : null;
    if (track) track.onended = lost;
    await place();
    changed();
  }

  async function lost() {
    await open();
    if (track) toast(t("softphone.switched", { device: track.label }));
  }

  // One that is plugged in when there was none is taken.
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
    // The stream to begin a leg with.
    stream: () => new MediaStream([now()]),
    // A leg to look after from now on.
    attach(leg) {
      legs.add(leg);
    },
  };
}
