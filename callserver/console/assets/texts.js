// The catalogue of this page's language, fetched once and kept by the browser.

import { HOME, local } from "./home.js";

const { language, assets } = document.body.dataset;
const catalogue = await (await fetch(`${assets}/texts.${language}.json`)).json();

// "{days, plural, one {# day} other {# days}}": the number's plural category decides.
const PLURAL = /\{(\w+), plural, one \{([^{}]*)\} other \{([^{}]*)\}\}/g;

export function t(key, values = {}) {
  const text = catalogue[key];
  if (text === undefined) throw new Error(`no text ${key}`);
  return text
    .replace(PLURAL, (_, name, one, other) =>
      (plurals.select(values[name]) === "one" ? one : other).replace("#", number(values[name])),
    )
    .replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

// The text in pieces, with an element in place of each value: el("p", {}, ...pieces("…", { topics })).
export const pieces = (key, elements) =>
  catalogue[key].split(/\{(\w+)\}/).map((piece, at) => (at % 2 ? elements[piece] : piece));

export const has = (key) => catalogue[key] !== undefined;

export const label = (texts) => texts[language];

// English as in Europe: 16:30, 13 May.
export const locale = language === "en" ? "en-GB" : language;

const CLOCK = { hour: "2-digit", minute: "2-digit" };
const clock = new Intl.DateTimeFormat(locale, { ...CLOCK, timeZone: HOME });
const precise = new Intl.DateTimeFormat(locale, { ...CLOCK, second: "2-digit", timeZone: HOME });
const day = new Intl.DateTimeFormat(locale, {
  day: "numeric",
  month: "long",
  year: "numeric",
  timeZone: HOME,
});
const plurals = new Intl.PluralRules(locale);
const lists = new Intl.ListFormat(locale);
const numbers = new Intl.NumberFormat(locale);

export const time = (instant) => clock.format(new Date(instant));
export const timeSeconds = (instant) => precise.format(new Date(instant));
export const date = (instant) => day.format(new Date(instant));
export const dateTime = (instant) => t("page.moment", { date: date(instant), time: time(instant) });
export const list = (items) => lists.format(items); // "a, b and c"
export const number = (value) => numbers.format(value);

const dayOf = (instant) => local(instant).slice(0, 10);
const isToday = (instant) => dayOf(instant) === dayOf(now());

// In a sentence (`when`) and in a table (`whenShort`): the time, on another day than today the date as well.
export const when = (instant) =>
  isToday(instant) ? t("page.today_at", { time: time(instant) }) : dateTime(instant);
export const whenShort = (instant) => (isToday(instant) ? time(instant) : dateTime(instant));

// The server's clock may differ from the browser's (it does in a demonstration): pages use the server's.
let offset = 0;
export function setClock(serverNow) {
  offset = new Date(serverNow) - Date.now();
}
export const now = () => new Date(Date.now() + offset);

export function lasting(since) {
  const seconds = Math.max(0, Math.floor((now() - new Date(since)) / 1000));
  const two = (value) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}
