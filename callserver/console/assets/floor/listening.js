// Listening to a phoner with one click. Coaching and joining need permissions of their own.

import { get, post, unlessUnreachable } from "../api.js";
import { $, el, scrollsBelow, show, toast } from "../dom.js";
import { date, has, lasting, t } from "../texts.js";
import { choose, known, onChange, seatOf, takeMine } from "./store.js";

scrollsBelow($("#listening"));

export const WHYS = ["quality", "new", "training", "asked", "complaint"];
const IN_CALL = ["reserved", "ringing", "talking"];
const LOOK_MS = 1000; // no event says that the listener's telephone is connected

export const canListen = (mode) => Boolean(known.mine?.allowed && known.mine.modes.includes(mode));
export const opened = (seat) => (known.mine?.open?.seat === seat ? known.mine.open : null);

// The reason that is preselected.
export function defaultReason(seat, shift) {
  if (seat.hand_at) return "asked";
  return shift ? "new" : "quality";
}

export async function listenTo(id, mode, why) {
  const seat = seatOf(id);
  try {
    takeMine(
      await post("/listenings", {
        seat: id,
        mode,
        why: why ?? opened(id)?.why ?? defaultReason(seat),
      }),
    );
  } catch (error) {
    toast(error.message, "bad");
  }
}

export async function stop() {
  takeMine(await post("/listenings/stop"));
  $("#said").textContent = t("floor.stopped");
}

export function whyNotAllowed() {
  const { allowed, opens, modes } = known.mine;
  if (!modes.length || allowed) return "";
  return opens ? t("floor.not_yet", { when: date(opens) }) : t("floor.not_announced");
}

// A silent listener is in the phoner's room during calls only.
const belongsInRoom = (open, seat) =>
  Boolean(seat?.connected) && !seat.no_listener && (open.mode !== "silent" || IN_CALL.includes(seat.state));

function listenerText(open, seat) {
  if (seat?.connected && seat.no_listener) return t("floor.hears_none");
  if (!belongsInRoom(open, seat)) return t("floor.hears_next");
  if (!open.in_room) return t("floor.hears_soon");
  return t(open.mode === "silent" ? "floor.hears_now" : "floor.hears_always");
}

// Whether the telephone is connected is asked again for every call. What came meanwhile is newer than the answer.
async function lookForTelephone() {
  const asked = known.mine;
  const open = asked?.open;
  if (!open || open.in_room || !belongsInRoom(open, seatOf(open.seat))) return;
  await unlessUnreachable(get("/listenings/mine").then((mine) => known.mine === asked && takeMine(mine)));
}

setInterval(lookForTelephone, LOOK_MS);
onChange((what) => {
  const open = known.mine?.open;
  if (what.has("floor") && open && !belongsInRoom(open, seatOf(open.seat))) open.in_room = false;
});

export function modeButtons(id) {
  const open = opened(id);
  const seat = seatOf(id);
  const button = (mode, text, more) =>
    canListen(mode) &&
    el(
      "button",
      {
        type: "button",
        "data-key": mode,
        class: open || mode !== "silent" ? "" : "main",
        "aria-pressed": String(open?.mode === mode),
        disabled: !seat?.connected || (mode === "join" && seat.state !== "talking"),
        title: more,
        onclick: () => listenTo(id, mode, $("#why")?.value),
      },
      text,
    );
  return [
    button("silent", t("floor.listen"), t("floor.note.silent")),
    button("coach", t("floor.coach"), t("floor.note.coach")),
    button("join", t("floor.join"), t("floor.note.join")),
    open &&
      el("button", { type: "button", "data-key": "stop", class: "bad", onclick: stop }, t("floor.stop")),
  ].filter(Boolean);
}

let drawn = "";

// After redrawing, the focus returns to the same button, else to another in the bar, else to the tiles.
function draw() {
  const focusedKey = document.activeElement?.closest("#listening") && document.activeElement.dataset.key;
  drawBar();
  if (focusedKey)
    (
      $(`#listening:not([hidden]) [data-key="${focusedKey}"]`) ??
      $("#listening:not([hidden]) button") ??
      $('#seats [tabindex="0"]')
    )?.focus();
}

function drawBar() {
  const open = known.mine?.open;
  show($("#listening"), Boolean(open));
  if (!open) {
    drawn = "";
    return;
  }
  const seat = seatOf(open.seat);
  const text = t(`floor.now.${open.mode}`, { name: open.name });
  const now = [text, listenerText(open, seat), seat?.state, seat?.connected, known.chosen].join();
  if (now === drawn) return;
  drawn = now;
  $("#listening").className = `listening ${open.mode}`;
  $("#listening-text").replaceChildren(
    el("b", {}, text),
    " ",
    el(
      "span",
      { class: "number soft", "data-since": open.since, "aria-hidden": "true" },
      lasting(open.since),
    ),
    " ",
    listenerText(open, seat),
  );
  $("#listening-actions").replaceChildren(
    ...modeButtons(open.seat).filter((button) => button.dataset.key !== open.mode),
    ...(known.chosen === open.seat
      ? []
      : [
          el(
            "button",
            { type: "button", class: "quiet", "data-key": "seat", onclick: () => choose(open.seat) },
            t("floor.show_seat"),
          ),
        ]),
  );
}

// Tell the user why a listening ended that they did not stop.
onChange((what) => {
  const key = `listen_end.${known.ended?.because}`;
  if (what.has("mine") && known.ended && has(key)) toast(t(key, { name: known.ended.name }));
});
onChange((what) => ["mine", "floor", "chosen"].some((part) => what.has(part)) && draw());
