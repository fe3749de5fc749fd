// The list of alarms. It is redrawn only when it changes, so that a screen reader reads each alarm once.

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
let drawn = "";

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

onChange((what) => {
  if (!what.has("figures")) return;
  const { alarms } = known.figures;
  const now = alarms.map(words).join("\n") || t("floor.no_alarms");
  if (now === drawn) return;
  drawn = now;
  const items = alarms.map((alarm) =>
    el(
      "li",
      { class: GRAVE.includes(alarm.kind) ? "grave" : "" },
      words(alarm),
      release(alarm),
      enter(alarm),
    ),
  );
  const none = el("li", { class: "soft" }, t("floor.no_alarms"));
  keepFocus(() => $("#alarms").replaceChildren(...(items.length ? items : [none])), $("#alarms-title"));
});
