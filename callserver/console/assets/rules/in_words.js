// A policy or a campaign in sentences, block by block, each with its source and the date it was checked.

import { el } from "../dom.js";
import { date, has, label, list, locale, number, t } from "../texts.js";

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const weekday = new Intl.DateTimeFormat(locale, { weekday: "long", timeZone: "UTC" });
const monthDay = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", timeZone: "UTC" });
const regions = new Intl.DisplayNames(locale, { type: "region" });

const dayName = (key) => weekday.format(new Date(Date.UTC(2024, 0, 1 + DAYS.indexOf(key))));
const day = (text) => (text.length === 5 ? monthDay.format(new Date(`2024-${text}`)) : date(text));
const clock = (text) => {
  const [hours, minutes] = text.split(":");
  return t("rules.words.clock", { hours: Number(hours), minutes });
};
const span = (window) => {
  const [opens, closes] = window.split("-");
  return t("rules.words.window", { opens: clock(opens), closes: clock(closes) });
};
const hours = (windows) => (windows.length ? list(windows.map(span)) : t("rules.words.closed"));
const opening = (days, windows) =>
  windows.length
    ? t("rules.words.open_on", { days, hours: hours(windows) })
    : t("rules.words.closed_on", { days });
const countries = (codes) => list(codes.map((code) => regions.of(code) ?? code));

// Days in a row with the same hours are one line.
function week(windows) {
  const groups = [];
  for (const key of DAYS) {
    const open = windows[key] ?? [];
    const last = groups.at(-1);
    if (last?.open.join() === open.join()) last.to = key;
    else groups.push({ from: key, to: key, open });
  }
  return groups.map(({ from, to, open }) => {
    const days =
      from === to ? dayName(from) : t("rules.words.days", { from: dayName(from), to: dayName(to) });
    return opening(`${days[0].toUpperCase()}${days.slice(1)}`, open);
  });
}

const BLOCKS = {
  hours: (b) => [
    ...week(b.windows),
    b.before_holiday && t("rules.words.before_holiday", { hours: hours(b.before_holiday) }),
    ...Object.entries(b.dates).map(([on, windows]) => opening(day(on), windows)),
    b.calendars.length
      ? t("rules.words.calendars", { countries: countries(b.calendars), year: b.calendar_checked_until })
      : t("rules.words.no_calendars"),
    b.closed_days.length && t("rules.words.closed_days", { days: list(b.closed_days.map(day)) }),
    b.close_guard_seconds && t("rules.words.guard", { seconds: b.close_guard_seconds }),
  ],
  numbers: (b) => [
    t("rules.words.regions", { countries: countries(b.regions) }),
    t("rules.words.kinds", {
      kinds: list(
        b.kinds.map((kind) => (has(`rules.words.kind.${kind}`) ? t(`rules.words.kind.${kind}`) : kind)),
      ),
    }),
  ],
  frequency: (b) => {
    const limits = [
      b.gap_hours && t("rules.words.gap", { hours: b.gap_hours }),
      b.per_day && t("rules.words.per_day", { count: b.per_day }),
      b.per_24_hours && t("rules.words.per_24_hours", { count: b.per_24_hours }),
      b.per_period && t("rules.words.per_period", b.per_period),
      b.rest_days_after_refusal && t("rules.words.rest_refusal", { days: b.rest_days_after_refusal }),
      b.rest_hours_after_abandoned &&
        t("rules.words.rest_abandoned", { hours: b.rest_hours_after_abandoned }),
    ].filter(Boolean);
    const tolerance = t("rules.words.tolerance", { minutes: b.call_back_tolerance_minutes });
    return [...(limits.length ? limits : [t("rules.words.no_limit")]), tolerance];
  },
  register: (b) => [
    t(b.respected ? "rules.words.respected" : "rules.words.not_respected"),
    b.respected && b.except_members && t("rules.words.register_members"),
    b.respected && b.except_consent && t("rules.words.register_consent"),
    b.respected &&
      b.except_last_gift_years &&
      t("rules.words.register_gifts", { years: b.except_last_gift_years }),
    b.wash_days && t("rules.words.wash", { days: b.wash_days }),
  ],
  consent: (b) => [
    t(`rules.words.mode.${b.mode}`),
    b.except_members && t("rules.words.consent_members"),
    b.except_ended_years && t("rules.words.consent_ended", { years: b.except_ended_years }),
    b.proof && t("rules.words.proof"),
  ],
  gifts: (b) => [
    b.restricted
      ? t("rules.words.gifts_restricted", { years: b.last_gift_years })
      : t("rules.words.gifts_free"),
  ],
  person: (b) => [t("rules.words.min_age", { years: b.min_age })],
  ring: (b) => [t("rules.words.min_ring", { seconds: b.min_ring_seconds })],
  abandon: (b) => [
    b.limit_percent === null
      ? t("rules.words.no_limit")
      : t("rules.words.abandon_limit", {
          percent: number(b.limit_percent),
          days: b.window_days,
          sample: b.smallest_sample,
        }),
  ],
};

function block(title, sentences, { source, kind = "" } = {}) {
  return el(
    "section",
    { class: `block ${kind}` },
    el("h3", {}, title),
    el("ul", {}, ...sentences.filter(Boolean).map((sentence) => el("li", {}, sentence))),
    source ? el("p", { class: "soft source" }, source) : null,
  );
}

export function policyWords(document) {
  return Object.entries(document)
    .filter(([key]) => key in BLOCKS)
    .map(([key, rules]) =>
      block(t(`rules.words.${key}`), BLOCKS[key](rules), {
        source: t("rules.source", { source: rules.source, date: date(rules.checked) }),
      }),
    );
}

function after(minutes) {
  const [unit, length] = [
    ["day", 1440],
    ["hour", 60],
    ["minute", 1],
  ].find(([, size]) => minutes % size === 0);
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(minutes / length);
}

function does(outcome) {
  if (outcome.agreement) return t("rules.words.does.agreement");
  if (outcome.does === "suppress") return t(`rules.words.does.suppress.${outcome.scope}`);
  return t(`rules.words.does.${outcome.does}`, { days: outcome.rest_days });
}

// `names`: the titles of the campaign's department and policy.
export function campaignWords(c, names) {
  const cause = (key) => (has(`rules.words.cause.${key}`) ? t(`rules.words.cause.${key}`) : key);
  return [
    block(t("rules.words.who"), [
      t("rules.words.organisation", {
        organisation: c.organisation,
        segment: t(`rules.words.segment.${c.segment}`),
      }),
      t(`rules.words.purpose.${c.purpose}`),
      t("rules.words.why", { why: label(c.why) }),
      t("rules.words.shown", { number: c.caller_id, ...names }),
    ]),
    block(t("rules.words.calling"), [
      t("rules.words.ring_seconds", { seconds: c.ring_seconds }),
      t("rules.words.most_tries", { count: c.most_tries }),
      ...Object.entries(c.retry).map(([key, rule]) =>
        t("rules.words.retry", { cause: cause(key), after: after(rule.after_minutes), count: rule.most }),
      ),
      t("rules.words.wrap_up", { seconds: c.wrap_up_seconds }),
    ]),
    block(t("rules.words.call_backs"), [
      c.call_backs.personal
        ? t("rules.words.personal", { minutes: c.call_backs.release_after_minutes })
        : t("rules.words.not_personal"),
      t("rules.words.tolerance", { minutes: c.call_backs.tolerance_minutes }),
      t("rules.words.ahead", { days: c.call_backs.most_days_ahead }),
    ]),
    block(
      t("rules.words.outcomes"),
      Object.values(c.outcomes).map((outcome) =>
        t("rules.words.outcome", { outcome: label(outcome.label), does: does(outcome) }),
      ),
      { kind: "outcomes" },
    ),
  ];
}
