// The telephone in the browser, behind one small door. Without one in this house, it says what is missing.
//
// connect({ onState }) -> { kind, mute(on), muted, setInput(id), setOutput(id), disconnect() }
// onState hears "missing" | "connecting" | "connected" | "reconnecting" | "ended".

import { get } from "./api.js";

export async function connect({ onState }) {
  const { kind } = await get("/softphone");
  onState("missing"); // no softphone is bundled with these pages
  return {
    kind,
    muted: false,
    mute() {},
    setInput() {},
    setOutput() {},
    disconnect() {
      onState("ended");
    },
  };
}
