// The list of alarms. An alarm that lasts keeps its element, and only its figures change: a screen reader reads each
// alarm once, when it is added.

import { get, post } from "../api.js";
import { $, el, keepFocus, onPress, passFocus, toast } from "../dom.js";
import { correct } from "../outcome/correction.js";
import { dateTime, label, t } from "../texts.js";
import { fetchFigures, known, may, onChange } from "./store.js";

const GRAVE = [
  "scheduler_stalled",
  "clock",
  "exchange_away",
  "trunk_dead",
  "not_registered",
  "campaign_stopped",
  "numbers_refused",
  "outcomes_missing",
  "abandon_rate",
  "provider_silent",
];
const shown = new Map(); // kind and what it is about -> the element of an alarm

function words({ kind, campaign, values }) {
  const title = known.campaigns[campaign]?.title;
  return t(`alarm.${kind}`, { ...values, campaign: title ? label(title) : campaign });
}

// A supervisor has checked the numbers that the carrier refused: their contacts are dialed again.
function release({ kind, campaign }) {
  if (kind !== "numbers_refused" || !may("lead_floor")) return null;
  const button = el(
    "button",
    { type: "button", class: "small", "data-key": `${kind}-${campaign}` },
    t("floor.release_numbers"),
  );
  onPress(button, async () => {
    const { contacts } = await post(`/campaigns/${campaign}/refused-numbers/release`);
    toast(t("floor.numbers_released", { count: contacts.length }), "good");
    await fetchFigures();
    passFocus(button, $("#alarms-title"));
  });
  return button;
}

// The oldest call whose phoner left without an outcome.
function enter({ kind, campaign }) {
  if (kind !== "outcomes_missing" || !may("correct")) return null;
  const button = el(
    "button",
    { type: "button", class: "small", "data-key": `${kind}-${campaign}` },
    t("floor.enter_outcome"),
  );
  onPress(button, async () => {
    const missing = await get("/floor/missing-outcomes");
    const call = missing.calls.find((one) => one.campaign === campaign);
    if (!call) return fetchFigures();
    const { attempt, at, number, phoner } = call;
    correct({
      attempt,
      outcome: null,
      title: t("floor.enter_outcome_title", { at: dateTime(at), number, name: phoner }),
      text: t("floor.enter_outcome_text"),
      saved: t("floor.outcome_saved"),
      campaign: missing.campaigns[campaign],
      done: async () => {
        await fetchFigures();
        passFocus(button, $("#alarms-title"));
      },
    });
  });
  return button;
}

// The element of an alarm: the one that is there, or a new one.
function item(key, text, make) {
  const before = shown.get(key);
  if (before && before.firstChild.data !== text) before.firstChild.data = text;
  return before ?? make(text);
}

const ofAlarm = (alarm) => [
  `${alarm.kind} ${alarm.about}`,
  item(`${alarm.kind} ${alarm.about}`, words(alarm), (text) =>
    el("li", { class: GRAVE.includes(alarm.kind) ? "grave" : "" }, text, release(alarm), enter(alarm)),
  ),
];

const ofNone = () => [
  "none",
  item("none", t("floor.no_alarms"), (text) => el("li", { class: "soft" }, text)),
];

function draw(items) {
  const list = $("#alarms");
  for (const element of shown.values()) if (!items.some(([, kept]) => kept === element)) element.remove();
  shown.clear();
  items.forEach(([key, element], place) => {
    shown.set(key, element);
    if (list.children[place] !== element) list.insertBefore(element, list.children[place] ?? null);
  });
}

onChange((what) => {
  if (!what.has("figures")) return;
  const { alarms } = known.figures;
  const items = alarms.length ? alarms.map(ofAlarm) : [ofNone()];
  keepFocus(() => draw(items), $("#alarms-title"));
});
