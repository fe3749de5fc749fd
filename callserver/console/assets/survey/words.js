// Formatting that the parts of the survey page share.

import { date, label, t } from "../texts.js";

export const quarterName = (quarter) => {
  const [year, number] = quarter.split("-Q");
  return t("survey.quarter", { number, year });
};

// The survey closes at the start of a day: the second before it names the last day.
export const lastDay = (closesAt) => date(new Date(new Date(closesAt) - 1000).toISOString());

// The answers of a counted question, in order: key and text.
export const answersOf = ({ kind, low, high, options }) =>
  kind === "scale"
    ? [1, 2, 3, 4, 5].map((step) => [String(step), step === 1 ? label(low) : step === 5 ? label(high) : ""])
    : Object.entries(options).map(([key, text]) => [key, label(text)]);
