// Figures per campaign and day: charts, a table, a file.

import { get } from "./api.js";
import { write } from "./dates.js";
import { $, el, onSubmit, show } from "./dom.js";
import { lying, stacked } from "./reports/charts.js";
import { date, number, t } from "./texts.js";

const short = (day) => `${Number(day.slice(8))}/${Number(day.slice(5, 7))}`;

// Counts of one kind over all days, the largest first.
function together(days, name) {
  const found = new Map();
  for (const one of days.flatMap((day) => day[name])) {
    const known = found.get(one.label) ?? { label: one.label, count: 0 };
    known.count += one.count;
    found.set(one.label, known);
  }
  return [...found.values()].sort((a, b) => b.count - a.count);
}

const DAY_MS = 86_400_000;

// One column for each day from the first to the last: days without calls keep their place.
function perDay({ first, last, days }) {
  const columns = new Map();
  for (let at = Date.parse(first); at <= Date.parse(last); at += DAY_MS) {
    const day = new Date(at).toISOString().slice(0, 10);
    columns.set(day, { label: short(day), values: [0, 0] });
  }
  for (const { day, answered, dials } of days) {
    const { values } = columns.get(day);
    values[0] += answered;
    values[1] += dials - answered;
  }
  return [...columns.values()];
}

function row(day) {
  const figures = [
    day.dials,
    day.answered,
    day.abandoned,
    day.agreements,
    Math.floor(day.talked_seconds / 60),
  ];
  figures.push(day.refused.reduce((sum, one) => sum + one.count, 0));
  return el(
    "tr",
    {},
    el("td", {}, el("time", { datetime: day.day }, date(day.day))),
    el("td", {}, day.title),
    ...figures.map((one) => el("td", { class: "number" }, number(one))),
  );
}

async function fetchAndShow(given) {
  const asked = new URLSearchParams(Object.entries(given).filter(([, value]) => value));
  const found = await get(`/reports?${asked}`);
  const form = $("#wanted");
  write(form.first, found.first);
  write(form.last, found.last);
  if (form.campaign.length === 1) {
    for (const [name, title] of Object.entries(found.campaigns)) form.campaign.add(new Option(title, name));
  }
  $("#csv").href = `/api/v1/reports.csv?${asked}`;
  show($("#empty"), found.days.length === 0);
  show($("#found"), found.days.length > 0);
  if (!found.days.length) return;
  const names = [t("reports.reached"), t("reports.not_reached")];
  $("#days").replaceChildren(
    ...stacked(t("reports.chart_days"), perDay(found), names, $("#days").clientWidth),
  );
  $("#outcomes").replaceChildren(...lying(t("reports.chart_outcomes"), together(found.days, "outcomes")));
  $("#ends").replaceChildren(...lying(t("reports.chart_ends"), together(found.days, "not_reached")));
  $("#refused").replaceChildren(...lying(t("reports.chart_refused"), together(found.days, "refused")));
  $("#rows").replaceChildren(...found.days.map(row));
}

onSubmit($("#wanted"), fetchAndShow);
await fetchAndShow({});
