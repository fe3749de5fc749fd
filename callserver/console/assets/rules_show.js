// What becomes looser, a difference line by line, and the effect on the lists.

import { get } from "./api.js";
import { dateInput, write } from "./dates.js";
import { el, onSubmit, scrolling } from "./dom.js";
import { progressBar, stream } from "./stream.js";
import { dateTime, has, now, number, t } from "./texts.js";

export function value(found) {
  if (found === null || found === undefined) return t("rules.nothing");
  if (found === true) return t("page.yes");
  if (found === false) return t("page.no");
  if (typeof found === "number") return number(found);
  if (Array.isArray(found)) return found.length ? found.map(value).join(", ") : t("page.none");
  if (typeof found === "object") {
    return Object.entries(found).map(([key, one]) => `${key} ${value(one)}`).join(", ");
  }
  return String(found);
}

// The same rule in several files is one line: policies extend one another.
export function looserList(found) {
  const grouped = new Map();
  for (const one of found) {
    const key = JSON.stringify([one.text, one.key, one.was, one.would]);
    if (!grouped.has(key)) grouped.set(key, { ...one, files: [] });
    grouped.get(key).files.push(one.file);
  }
  return el(
    "ul",
    { class: "looser" },
    ...[...grouped.values()].map((one) =>
      el(
        "li",
        {},
        el("strong", {}, t(one.text)),
        el("span", { class: "values" }, t("rules.was_would", { was: value(one.was), would: value(one.would) })),
        el("span", { class: "soft" }, el("code", {}, one.key), " ", t("rules.in_files", { files: one.files.join(", ") })),
      ),
    ),
  );
}

const SAID = { "-": "rules.removed_line", "+": "rules.added_line" };

export function diffView(diff) {
  return Object.entries(diff).map(([file, lines]) =>
    scrolling(
      t("rules.diff_caption", { file }),
      el("h3", {}, file),
      el(
        "table",
        { class: "diff" },
        el("caption", { class: "sr" }, t("rules.diff_caption", { file })),
        el("tbody", {}, ...lines.map(row)),
      ),
    ),
  );
}

function row({ sign, text, line }) {
  const kind = { "-": "gone", "+": "added", "…": "cut" }[sign] ?? "";
  const said = SAID[sign] ? el("span", { class: "sr" }, t(SAID[sign])) : null;
  return el(
    "tr",
    { class: kind },
    el("td", { class: "number" }, line ?? ""),
    el("td", { class: "sign" }, said, el("span", { "aria-hidden": "true" }, sign)),
    el("td", {}, el("code", {}, text)),
  );
}

// -- the effect ---------------------------------------------------------------------------------

const GROUPS = [
  ["callable", (reason) => reason === "callable"],
  ["wish", (reason) => reason.startsWith("SUP_")],
  ["holiday", (reason) => ["TIME_HOLIDAY", "TIME_CLOSED_DAY"].includes(reason)],
  ["hours", (reason) => reason.startsWith("TIME_")],
  ["rest", (reason) => reason.startsWith("FREQ_")],
  ["other", () => true],
];

function grouped(counts) {
  const found = Object.fromEntries(GROUPS.map(([name]) => [name, 0]));
  for (const [reason, count] of Object.entries(counts)) {
    found[GROUPS.find(([, fits]) => fits(reason))[0]] += count;
  }
  return found;
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
    if (!after) return el("tr", {}, name, el("td", { colspan: GROUPS.length }, t("rules.effect_no_campaign")));
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
    el("tr", {}, el("th", { scope: "row" }, has(`reason.${reason}`) ? t(`reason.${reason}`) : reason), cell(before, after)),
  );
  return el("details", {}, el("summary", {}, t("rules.effect_reasons")), el("table", {}, el("tbody", {}, ...items)));
}

// This evening at six; when that is over, now until nine, then tomorrow.
export function thisEvening() {
  const at = now();
  if (at.getHours() >= 21) at.setDate(at.getDate() + 1);
  if (at.getHours() < 18 || at.getHours() >= 21) at.setHours(18, 0, 0, 0);
  return at;
}

export const local = (at) => new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);

// The form that asks for an instant and shows the answer; `path` and `body` say about what.
export function effectForm(path, body, titles) {
  const at = dateInput("moment", { name: "at", required: true });
  write(at, local(thisEvening()));
  const answer = el("div", { "aria-live": "polite" });
  const form = el(
    "form",
    { class: "row effect-form" },
    el("label", {}, t("rules.effect_at"), at),
    el("button", {}, t("rules.effect_go")),
  );
  onSubmit(form, async (given) => {
    const { element, tell } = progressBar();
    answer.replaceChildren(element);
    try {
      const asked = { ...body(), at: new Date(given.at).toISOString() };
      answer.replaceChildren(effectTable(await stream(path, asked, tell), titles()));
    } catch (error) {
      answer.replaceChildren(el("p", { class: "wrong" }, error.message));
    }
  });
  return el("div", {}, form, answer);
}

export const proposalsDiff = async (id) => diffView((await get(`/rules/proposals/${id}`)).diff);
