// A telephone of the organisation's own exchange: SIP over a WebSocket by JsSIP (vendor/sip.js). A listener's
// telephone signs in at each of several exchanges: the one of the seat calls it.

import { UA, WebSocketInterface } from "../vendor/sip.js";

const EXPIRES_S = 60;
const TRIES = 4;
const AGAIN_MS = 3000;

const BEST_FIRST = ["registered", "connecting", "reconnecting", "elsewhere", "unreachable"];

export async function open({ sip }, events) {
  const states = new Map();
  // As long as one exchange can call the telephone, it works.
  const at = (url) =>
    openAt(
      { ...sip, url },
      {
        ...events,
        onState(state) {
          states.set(url, state);
          events.onState(BEST_FIRST.find((known) => [...states.values()].includes(known)));
        },
      },
    );
  const telephones = [sip.url, ...sip.elsewhere].map(at);
  const all = (does) => telephones.forEach(does);
  return {
    renew: (fresh) => all((telephone) => telephone.renew(fresh)),
    call: () => telephones[0].call(),
    speaker: (id) => all((telephone) => telephone.speaker(id)),
    close: () => all((telephone) => telephone.close()),
  };
}

function openAt(sip, { microphone, onState, onIncoming, onOver }) {
  const player = new Audio();
  let speaker = "";
  let tries = TRIES;
  let registered = false;

  const ua = new UA({
    sockets: [new WebSocketInterface(sip.url)],
    uri: sip.aor,
    authorization_user: sip.name,
    password: sip.password,
    register_expires: EXPIRES_S,
    session_timers: false,
    connection_recovery_min_interval: 1,
    connection_recovery_max_interval: 8,
    user_agent: "callserver",
  });

  function hears(leg) {
    microphone.attach(leg);
    leg.addEventListener("track", async ({ streams: [stream] }) => {
      player.srcObject = stream;
      if (speaker) await player.setSinkId?.(speaker).catch(() => {});
      await player.play().catch(() => {});
    });
  }

  function legOf(session) {
    const leg = {
      over: false,
      take() {
        // Set before answering, so that no track is missed.
        session.on("peerconnection", ({ peerconnection }) => hears(peerconnection));
        session.answer({ mediaStream: microphone.stream(), pcConfig: { iceServers: [] } });
      },
      refuse: () => session.terminate({ status_code: 480 }),
      hangUp: () => !session.isEnded() && session.terminate(),
    };
    const onEnd = () => {
      leg.over = true;
      onOver(leg);
    };
    session.on("ended", onEnd);
    session.on("failed", onEnd);
    return leg;
  }

  ua.on("connecting", () => registered || onState("connecting"));
  ua.on("disconnected", () => {
    onState(registered ? "reconnecting" : "unreachable");
    registered = false;
  });
  ua.on("registered", () => {
    registered = true;
    tries = TRIES;
    onState("registered");
  });
  // After a restart the exchange knows the telephone again within seconds. If it is still refused then,
  // another window has a newer telephone; fetching a new password would disconnect that one.
  ua.on("registrationFailed", ({ response }) => {
    registered = false;
    onState(!response || tries ? "reconnecting" : "elsewhere");
    if (tries-- > 0) setTimeout(() => ua.register(), AGAIN_MS);
  });
  ua.on("newRTCSession", ({ originator, session }) => {
    if (originator === "remote") onIncoming(legOf(session));
  });
  ua.start();

  return {
    renew({ sip: fresh }) {
      ua.set("password", fresh.password);
      ua.register();
    },
    call() {
      const session = ua.call(sip.room, { mediaStream: microphone.stream(), pcConfig: { iceServers: [] } });
      hears(session.connection);
      const leg = Object.assign(legOf(session), { take() {} });
      session.on("confirmed", () => onIncoming(leg));
    },
    speaker(id) {
      speaker = id;
      player.setSinkId?.(id).catch(() => {});
    },
    close: () => ua.stop(),
  };
}
