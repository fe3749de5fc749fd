// The catalogue of this page's language, fetched once and kept by the browser.

const { language, assets } = document.body.dataset;
const catalogue = await (await fetch(`${assets}/texts.${language}.json`)).json();

export function t(key, values = {}) {
  const text = catalogue[key];
  if (text === undefined) throw new Error(`no text ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

export const has = (key) => catalogue[key] !== undefined;

export const label = (both) => both[language];

// English as in Europe: 16:30, 13 May.
export const locale = language === "en" ? "en-GB" : language;

const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
const precise = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
const moment = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
const numbers = new Intl.NumberFormat(locale);

export const time = (instant) => clock.format(new Date(instant));
export const timeSeconds = (instant) => precise.format(new Date(instant));
export const date = (instant) => day.format(new Date(instant));
export const dateTime = (instant) => moment.format(new Date(instant));
export const number = (value) => numbers.format(value);

// Today only the clock, another day the date as well.
export function when(instant) {
  const at = new Date(instant);
  return at.toDateString() === now().toDateString() ? clock.format(at) : moment.format(at);
}

// The server's clock may stand elsewhere (a demonstration's does): pages count by it.
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
