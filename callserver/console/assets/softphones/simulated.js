// The telephone of the demonstration: the simulated network describes in words what one would hear.
// It is connected while the page reads the server's response (console/phone/simulated_telephone.py).

import { post, send } from "../api.js";
import { $ } from "../dom.js";
import { captions } from "./captions.js";

const SHOWN = { phoner: "#line", listener: "#line", trainee: "#mentor-captions", player: "#line" };
const AGAIN_MS = 2000;

export async function open(_, { as, path, onState, onIncoming, onOver }) {
  const played = `${path}/played`;
  const shown = captions($(SHOWN[as]));
  let leg = null;
  let closed = false;
  const stopping = new AbortController();

  function apply(update) {
    if (update.on && !leg) {
      leg = { over: false, take() {}, refuse() {}, hangUp() {} };
      onIncoming(leg);
    } else if (!update.on && leg) {
      leg.over = true;
      onOver(leg);
      leg = null;
    }
    shown.draw(update);
  }

  async function read() {
    const response = await send("POST", played, {}, {}, stopping.signal);
    onState("registered");
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines.filter((text) => text.length > 2)) apply(JSON.parse(line));
    }
  }

  // The server ends the response when another window takes over, or when it stops.
  async function follow() {
    while (!closed) {
      let why = "reconnecting";
      try {
        await read();
        why = "elsewhere";
        await post(path);
      } catch (error) {
        why = error.status && error.status < 500 ? "refused" : "reconnecting";
      }
      if (closed) return;
      apply({ on: false, muted: false, hears: [], heard_by: [] });
      onState(why);
      if (why !== "reconnecting") return;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  follow();
  return {
    renew() {},
    call: () => as === "phoner" && post(`${played}/call`),
    mute: (on) => as === "phoner" && post(`${played}/mute`, { on }),
    close() {
      closed = true;
      stopping.abort();
      shown.close();
    },
  };
}
