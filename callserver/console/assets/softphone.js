// The telephone in the browser, behind one small door; the kinds of telephone are in softphones/.
//
// connect({ as, expects, onState }) -> a telephone that signs in, takes its own room's leg by itself,
// and says in words what it is doing:
//   as       "phoner" | "listener" | "trainee": whose telephone it is; only a phoner's opens the microphone.
//   expects  () => boolean: whether a leg may come now; any other is refused.
//   onState  hears a key of softphone.state.*; "registered", "line" and "muted" are well.
//
// A kind is a module with open(credentials, { microphone, on… }) -> { call, renew, speaker, close }.

import { get, post } from "./api.js";
import { gesture, sleep } from "./softphones/browser.js";
import { outgoing } from "./softphones/microphone.js";

export const WELL = new Set(["registered", "line"]);

const PATHS = { phoner: "/softphone", listener: "/softphone/listener", trainee: "/softphone/trainee" };
const EXPECTED_MS = 5000; // the leg may be here before the page has heard why
const ALONE_MS = 4000; // on shift, registered and still not rung: it calls in itself
const LOOK_MS = 1000;
const RENEW_AT = 0.9; // of the time for which what it signs in with lasts
const RENEW_AGAIN_MS = 30_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const MISSING = { key: "missing", bundle: "bundle" };

export const kindOf = (as) => get(PATHS[as]);

export async function connect({ as, expects, onState }) {
  const { kind, missing } = await kindOf(as);
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

  // Our own room rings: nobody presses anything. The newest leg is hers; one before it is over.
  async function rung(found) {
    for (let waited = 0; waited < EXPECTED_MS && !expects(); waited += 200) await sleep(200);
    if (ended || found.over) return;
    if (!expects()) return found.refuse();
    leg?.hangUp();
    leg = found;
    found.take();
    become("registered");
  }

  function over(found) {
    if (leg !== found) return;
    leg = null;
    become(state === "line" ? "registered" : state);
  }

  async function signIn() {
    const found = await post(PATHS[as]);
    clearTimeout(renewing);
    renewing = setTimeout(renew, Math.min(found.lasts_s * 1000 * RENEW_AT, LONGEST_TIMER_MS));
    return found;
  }

  // A server that is away says so in the page's banner; it is asked again.
  async function renew() {
    try {
      await telephone?.renew(await signIn());
    } catch (error) {
      if (error.status && error.status < 500) return become("refused");
      renewing = setTimeout(renew, RENEW_AGAIN_MS);
    }
  }

  async function open() {
    become("connecting");
    // A listener's own click on Listen comes before any sound of hers.
    if (as === "phoner" && kind !== "simulated" && !navigator.userActivation?.hasBeenActive) {
      become("gesture");
      await gesture();
      become("connecting");
    }
    if (as === "phoner") await microphone.open();
    const { open: start } = await import(`./softphones/${kind}.js`);
    const found = await signIn();
    if (ended) return;
    telephone = await start(found, {
      as,
      microphone,
      onState: become,
      onRung: rung,
      onOver: over,
      renew: signIn,
    });
  }

  // Registered, expected, and not rung: the page was reloaded, or a ring was lost on its way.
  const looking = setInterval(() => {
    if (state !== "registered" || !expects()) alone = Date.now();
    else if (as === "phoner" && Date.now() - alone > ALONE_MS) {
      alone = Date.now();
      telephone?.call?.();
    }
  }, LOOK_MS);

  const opened = open().catch((error) => {
    console.error(error);
    become(error.status === 0 ? "unreachable" : "refused");
  });

  return {
    kind,
    get muted() {
      return microphone.muted;
    },
    // Whether it is on, waited for a little: nobody goes on shift with a telephone that is not there.
    async ready(ms = 12_000) {
      await Promise.race([opened, sleep(ms)]);
      for (let waited = 0; waited < ms && state === "connecting"; waited += 100) await sleep(100);
      return WELL.has(state) && !microphone.trouble;
    },
    mute(on) {
      microphone.mute(on);
      telephone?.mute?.(on);
      tell();
    },
    microphone: (id) => microphone.choose(id),
    speaker: (id) => telephone?.speaker?.(id),
    // A listener who coaches or joins is heard; one who listens has no microphone at all.
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
