// The telephone in the browser; its kinds are in softphones/.
//
// connect({ as, path, rings, expects, onState }) -> a telephone that signs in, accepts the leg of its own room by itself,
// and reports its state:
//   as       "phoner" | "listener" | "trainee" | "player": whose telephone it is; a phoner's and a player's (of a
//            role-play call) open the microphone.
//   path     where a player's credentials are; rings: asks the server to call a player.
//   expects  () => boolean: whether a leg may come now; any other is refused.
//   onLost   () => void: the leg is over, and this page has not ended it.
//   onState  gets a key of softphone.state.*; "registered" and "line" mean that it works.
//
// A kind is a module with open(credentials, { microphone, on… }) -> { call, renew, speaker, close }.

import { get, post } from "./api.js";
import { show } from "./dom.js";
import { gesture, sleep } from "./softphones/browser.js";
import { outgoing } from "./softphones/microphone.js";
import { t } from "./texts.js";

const WELL = new Set(["registered", "line"]);
const OPENS = new Set(["connecting", "gesture", "unreachable"]);

const PATHS = { phoner: "/softphone", listener: "/softphone/listener", trainee: "/softphone/trainee" };
const EXPECTED_MS = 5000; // the leg may arrive before the event that announces it
const ALONE_MS = 4000; // on shift, registered, but not called for so long: the telephone calls in
const RINGS_AGAIN_MS = 10_000; // a player who was not called asks again
const LOOK_MS = 1000;
const RENEW_AT = 0.9; // of the credentials' lifetime
const RENEW_AGAIN_MS = 30_000;
const OPEN_AGAIN_MS = 2000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

class NotLoaded extends Error {}

const MISSING = { key: "missing", bundle: "bundle" };

// Shows the state in a badge; of a telephone that has ended there is none.
export function badge(element, state) {
  element.textContent = t(`softphone.state.${state}`);
  element.className = `badge ${WELL.has(state) ? "good" : state === "connecting" ? "" : "warn"}`;
  show(element, state !== "ended");
}

export const kindOf = (as) => get(PATHS[as]);

const isPassing = ({ status }) => status === 0 || status >= 500;

// What a telephone begins with, again while the server does not answer; null: it is no longer `wanted`.
export async function untilReached(work, onState, wanted = () => true) {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isPassing(error)) throw error;
      onState("unreachable");
      await sleep(OPEN_AGAIN_MS);
      if (!wanted()) return null;
    }
  }
}

export async function connect({ as, path = PATHS[as], rings, expects, onLost, onState }) {
  const { kind, missing } = await get(path);
  const speaks = as === "phoner" || as === "player";
  if (missing) {
    onState(MISSING[missing]);
    return {
      kind: "none",
      muted: false,
      ready: async () => false,
      mute() {},
      microphone() {},
      speaker() {},
      speak() {},
      disconnect() {},
    };
  }
  let state = "connecting";
  let leg = null;
  let telephone = null;
  let alone = Date.now();
  let asked = 0;
  let renewing = null;
  let ended = false;
  const microphone = outgoing(tell, kind === "simulated");

  function tell() {
    if (ended) return onState("ended");
    const quiet = microphone.trouble || (microphone.muted && "muted");
    onState(WELL.has(state) && quiet ? quiet : state);
  }

  function become(now) {
    state = leg && now === "registered" ? "line" : now;
    alone = Date.now();
    tell();
  }

  // The leg of the user's own room is accepted without a click. A newer leg replaces an older one.
  async function onIncoming(incoming) {
    for (let waited = 0; waited < EXPECTED_MS && !expects(); waited += 200) await sleep(200);
    if (ended || incoming.over) return;
    if (!expects()) return incoming.refuse();
    leg?.hangUp();
    leg = incoming;
    incoming.take();
    become("registered");
  }

  function onOver(finished) {
    if (leg !== finished) return;
    leg = null;
    if (!ended) onLost?.();
    become(state === "line" ? "registered" : state);
  }

  async function signIn() {
    const credentials = await post(path);
    clearTimeout(renewing);
    if (!ended)
      renewing = setTimeout(renew, Math.min(credentials.lasts_s * 1000 * RENEW_AT, LONGEST_TIMER_MS));
    return credentials;
  }

  // The page's banner reports an unreachable server; renewing is tried again.
  async function renew() {
    try {
      const credentials = await signIn();
      if (!ended) await telephone?.renew(credentials);
    } catch (error) {
      if (ended) return;
      if (error.status && error.status < 500) return become("refused");
      renewing = setTimeout(renew, RENEW_AGAIN_MS);
    }
  }

  async function open() {
    become("connecting");
    // Before a listener hears anything, they have clicked Listen.
    if (speaks && kind !== "simulated" && !navigator.userActivation?.hasBeenActive) {
      become("gesture");
      await gesture();
      if (ended) return; // before the first click: no microphone is opened any more
      become("connecting");
    }
    if (speaks) await microphone.open();
    for (let tries = 0; !ended && !telephone; tries++) {
      try {
        await start(tries);
      } catch (error) {
        console.warn(error);
        const passing = error instanceof NotLoaded || isPassing(error);
        become(passing ? "unreachable" : "refused");
        if (!passing) return;
        await sleep(OPEN_AGAIN_MS);
      }
    }
  }

  // A browser remembers that a module could not be loaded; from another address it is loaded again.
  async function start(tries) {
    const again = tries ? `?again=${tries}` : "";
    const { open: openKind } = await import(`./softphones/${kind}.js${again}`).catch((error) => {
      throw new NotLoaded(error.message);
    });
    const credentials = await signIn();
    if (ended) return;
    telephone = await openKind(credentials, {
      as,
      path,
      microphone,
      onState: become,
      onIncoming,
      onOver,
      renew: signIn,
    });
  }

  // Registered, expected, but not called: the page was reloaded, or the incoming call was lost.
  const looking = setInterval(() => {
    if (state !== "registered" || !expects()) alone = Date.now();
    else if (as === "phoner" && Date.now() - alone > ALONE_MS) {
      alone = Date.now();
      telephone?.call?.();
    } else if (rings && Date.now() - asked > RINGS_AGAIN_MS) {
      asked = Date.now();
      rings().catch(() => {}); // asked again soon
    }
  }, LOOK_MS);

  open();

  return {
    kind,
    get muted() {
      return microphone.muted;
    },
    // Whether it works, after at most `ms`: no shift begins without a working telephone.
    async ready(ms = 12_000) {
      for (let waited = 0; waited < ms && OPENS.has(state); waited += 100) await sleep(100);
      return WELL.has(state) && !microphone.trouble;
    },
    mute(on) {
      microphone.mute(on);
      telephone?.mute?.(on);
      tell();
    },
    microphone: (id) => microphone.choose(id),
    speaker: (id) => telephone?.speaker?.(id),
    // A listener who coaches or joins opens the microphone; one who only listens does not.
    async speak(on) {
      if (on) await microphone.open();
      else microphone.close();
      tell();
    },
    disconnect() {
      ended = true;
      clearInterval(looking);
      clearTimeout(renewing);
      leg?.hangUp();
      telephone?.close();
      microphone.close();
      tell();
    },
  };
}
