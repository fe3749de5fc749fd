// How many contacts of each campaign a change would allow or refuse at a chosen time.

import { dateInput, write } from "../dates.js";
import { el, onSubmit, scrolling } from "../dom.js";
import { instantOf } from "../home.js";
import { thisEvening } from "../local_time.js";
import { progressBar, stream } from "../stream.js";
import { dateTime, has, number, t } from "../texts.js";

const GROUPS = [
  ["callable", (reason) => reason === "callable"],
  ["wish", (reason) => reason.startsWith("SUP_")],
  ["holiday", (reason) => ["TIME_HOLIDAY", "TIME_CLOSED_DAY"].includes(reason)],
  ["hours", (reason) => reason.startsWith("TIME_")],
  ["rest", (reason) => reason.startsWith("FREQ_")],
  ["other", () => true],
];

function grouped(counts) {
  const sums = Object.fromEntries(GROUPS.map(([name]) => [name, 0]));
  for (const [reason, count] of Object.entries(counts)) {
    sums[GROUPS.find(([, fits]) => fits(reason))[0]] += count;
  }
  return sums;
}

function cell(before, after) {
  const changed = before !== after;
  return el(
    "td",
    { class: `number ${changed ? "differs" : ""}` },
    number(after),
    changed ? el("span", { class: "soft" }, t("rules.effect_before", { count: number(before) })) : null,
  );
}

export function effectTable({ at, effects }, titles) {
  const head = GROUPS.map(([name]) => el("th", { scope: "col", class: "number" }, t(`rules.effect_${name}`)));
  const rows = effects.map(({ campaign, before, after }) => {
    const name = el("th", { scope: "row" }, titles[campaign] ?? campaign);
    if (!after)
      return el("tr", {}, name, el("td", { colspan: GROUPS.length }, t("rules.effect_no_campaign")));
    const was = grouped(before ?? {});
    const would = grouped(after);
    return el("tr", {}, name, ...GROUPS.map(([key]) => cell(was[key], would[key])));
  });
  const table = el(
    "table",
    { class: "effect" },
    el("caption", {}, t("rules.effect_caption", { when: dateTime(at) })),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, t("rules.effect_campaign")), ...head)),
    el("tbody", {}, ...rows),
  );
  return el("div", {}, scrolling(t("rules.effect"), table), reasons(effects));
}

function reasons(effects) {
  const all = new Map();
  const add = (counts, at) => {
    for (const [reason, count] of Object.entries(counts ?? {})) {
      if (reason === "callable") continue;
      if (!all.has(reason)) all.set(reason, [0, 0]);
      all.get(reason)[at] += count;
    }
  };
  for (const { before, after } of effects) {
    add(before, 0);
    add(after, 1);
  }
  if (!all.size) return null;
  const items = [...all].map(([reason, [before, after]]) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, has(`reason.${reason}`) ? t(`reason.${reason}`) : reason),
      cell(before, after),
    ),
  );
  return el(
    "details",
    {},
    el("summary", {}, t("rules.effect_reasons")),
    el("table", {}, el("tbody", {}, ...items)),
  );
}

// A form with a time and the answer below it; `path` and `body()` make the request.
export function effectForm(path, body, titles) {
  const at = dateInput("moment", { name: "at", required: true });
  write(at, thisEvening());
  const answer = el("div", { "aria-live": "polite" });
  const form = el(
    "form",
    { class: "row effect-form" },
    el("label", {}, t("rules.effect_at"), at),
    el("button", {}, t("rules.effect_go")),
  );
  onSubmit(form, async (values) => {
    const { element, update } = progressBar();
    answer.replaceChildren(element);
    try {
      const request = { ...body(), at: instantOf(values.at) };
      answer.replaceChildren(effectTable(await stream(path, request, update), titles()));
    } catch (error) {
      answer.replaceChildren(el("p", { class: "wrong" }, error.message));
    }
  });
  return el("div", {}, form, answer);
}
