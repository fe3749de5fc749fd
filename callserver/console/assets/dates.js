// Fields for a date or a moment: text fields, because a browser's date field uses the browser's locale.
// Danish: 28-11-2026 16.30; English: 2026-11-28 16:30. Both are read in both languages. Values are as
// "2026-11-28" and "2026-11-28T16:30".

import { $$, el } from "./dom.js";
import { locale, t } from "./texts.js";

const DAY = /^(?:(\d{4})[-./](\d{1,2})[-./](\d{1,2})|(\d{1,2})[-./](\d{1,2})[-./](\d{4}))/;
const CLOCK = /^[ T,]*(?:kl\.?|at)? *(\d{1,2})[.:](\d{2})$/;

const two = (value) => String(value).padStart(2, "0");

// The value, or null if the text is not a date or moment.
export function parse(text, kind) {
  const match = text.trim().match(DAY);
  if (!match) return null;
  const [year, month, day] = match[1] ? match.slice(1, 4) : [match[6], match[5], match[4]];
  const date = `${year}-${two(month)}-${two(day)}`;
  const parsed = new Date(`${date}T00:00Z`);
  if (Number.isNaN(parsed.getTime()) || parsed.toISOString().slice(0, 10) !== date) return null;
  const rest = text.trim().slice(match[0].length);
  if (kind === "date") return rest ? null : date;
  const clock = rest.match(CLOCK);
  if (!clock || clock[1] > 23 || clock[2] > 59) return null;
  return `${date}T${two(clock[1])}:${clock[2]}`;
}

export function written(value) {
  const [date, clock] = value.split("T");
  const [year, month, day] = date.split("-");
  if (locale === "da") return `${day}-${month}-${year}${clock ? ` ${clock.replace(":", ".")}` : ""}`;
  return clock ? `${date} ${clock}` : date;
}

// "" if the field is empty or cannot be parsed.
export const read = (input) => parse(input.value, input.dataset.date) ?? "";

export function write(input, value) {
  input.value = value ? written(value.slice(0, input.dataset.date === "date" ? 10 : 16)) : "";
  input.setCustomValidity("");
}

export function prepare(input) {
  const example = written(input.dataset.date === "date" ? "2026-11-28" : "2026-11-28T16:30");
  input.type = "text";
  input.autocomplete = "off";
  input.read = () => read(input);
  input.placeholder = example;
  input.addEventListener("input", () => input.setCustomValidity(""));
  input.addEventListener("change", () => {
    const value = read(input);
    if (value) input.value = written(value);
    input.setCustomValidity(value || !input.value ? "" : t("page.date_wrong", { example }));
  });
  return input;
}

export const dateInput = (kind, attributes = {}) =>
  prepare(el("input", { "data-date": kind, ...attributes }));

$$("input[data-date]").forEach(prepare);
