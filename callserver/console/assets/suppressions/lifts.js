// Proposals to lift opt-outs: another colleague approves or refuses them.

import { get, post } from "../api.js";
import { $, el, onPress, passFocus, show, toast } from "../dom.js";
import { date, dateTime, list, number, t } from "../texts.js";

function decide(lift, does, words) {
  const named = does === "refuse" && lift.mine ? "withdraw" : does;
  const button = el(
    "button",
    { type: "button", class: does === "approve" ? "main" : "quiet" },
    t(`suppressions.lift_${named}`),
  );
  onPress(button, async () => {
    show($("#lifts-wrong"), false);
    try {
      const result = await post(`/suppressions/lifts/${lift.id}/${does}`);
      toast(words(result), "good");
    } catch (error) {
      $("#lifts-wrong").textContent = error.message;
      show($("#lifts-wrong"));
    }
    await lifts();
    passFocus(button, $("#lifts-title"));
  });
  return button;
}

function item(lift) {
  const text = t("suppressions.lift_of", {
    scopes: list(lift.scopes.map((scope) => t(`suppressions.scope.${scope}`))),
    numbers: list(lift.numbers),
    opted_out: dateTime(lift.opted_out),
    asked_on: date(lift.asked_on),
    channel: t(`suppressions.channel.${lift.channel}`),
    by: lift.by,
    at: dateTime(lift.at),
    why: lift.why,
  });
  const approve = decide(lift, "approve", (result) =>
    t("suppressions.lifted", { count: number(result.lifted) }),
  );
  const refuse = decide(lift, "refuse", () => t("suppressions.lift_refused"));
  return el(
    "li",
    {},
    el("p", {}, text),
    lift.mine ? el("p", { class: "soft" }, t("suppressions.lift_mine")) : null,
    el("div", { class: "row" }, lift.mine ? null : approve, refuse),
  );
}

export async function lifts() {
  const { lifts: proposals } = await get("/suppressions/lifts");
  $("#lifts").replaceChildren(
    proposals.length
      ? el("ul", {}, ...proposals.map(item))
      : el("p", { class: "soft" }, t("suppressions.lifts_none")),
  );
}
