// What must be looked at, in words; quiet when all is well.

import { $, el } from "../dom.js";
import { label, t } from "../texts.js";
import { known, onChange } from "./state.js";

const GRAVE = ["upkeep_still", "clock", "campaign_stopped", "abandon_rate", "provider_silent"];
let drawn = "";

function words({ kind, campaign, values }) {
  const title = known.campaigns[campaign]?.title;
  return t(`alarm.${kind}`, { ...values, campaign: title ? label(title) : campaign });
}

onChange((what) => {
  if (!what.has("figures")) return;
  const { alarms } = known.figures;
  const now = alarms.map(words).join("\n") || t("floor.no_alarms");
  if (now === drawn) return; // said once, not every few seconds
  drawn = now;
  $("#alarms").replaceChildren(...(alarms.length
    ? alarms.map((one) => el("li", { class: GRAVE.includes(one.kind) ? "grave" : "" }, words(one)))
    : [el("li", { class: "soft" }, t("floor.no_alarms"))]));
});
