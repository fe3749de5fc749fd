// The reports page: figures per campaign and day as charts, a table and a file.

import { get } from "./api.js";
import { write } from "./dates.js";
import { $, el, onSubmit, show } from "./dom.js";
import { cases } from "./reports/cases.js";
import { horizontalBars, stacked } from "./reports/charts.js";
import { date, locale, number, t } from "./texts.js";

const dayMonth = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", timeZone: "UTC" });

// The counts of `name` summed over all days, the largest first.
function totalsOf(days, name) {
  const totals = new Map();
  for (const entry of days.flatMap((day) => day[name])) {
    const total = totals.get(entry.label) ?? { label: entry.label, count: 0 };
    total.count += entry.count;
    totals.set(entry.label, total);
  }
  return [...totals.values()].sort((a, b) => b.count - a.count);
}

const DAY_MS = 86_400_000;

// One column for each day from the first to the last: days without calls keep their place.
function perDay({ first, last, days }) {
  const columns = new Map();
  for (let at = Date.parse(first); at <= Date.parse(last); at += DAY_MS) {
    const day = new Date(at).toISOString().slice(0, 10);
    columns.set(day, { label: dayMonth.format(at), values: [0, 0] });
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
  figures.push(day.refused.reduce((sum, entry) => sum + entry.count, 0));
  return el(
    "tr",
    {},
    el("td", {}, el("time", { datetime: day.day }, date(day.day))),
    el("td", {}, day.title),
    ...figures.map((figure) => el("td", { class: "number" }, number(figure))),
  );
}

let asked = 0; // counts reports: only the latest is shown

async function fetchAndShow(filters) {
  asked += 1;
  const mine = asked;
  const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value));
  const report = await get(`/reports?${query}`);
  if (mine !== asked) return;
  const form = $("#period");
  write(form.first, report.first);
  write(form.last, report.last);
  if (form.campaign.length === 1) {
    for (const [name, title] of Object.entries(report.campaigns)) form.campaign.add(new Option(title, name));
  }
  $("#csv").href = `/api/v1/reports.csv?${query}`;
  show($("#empty"), report.days.length === 0);
  show($("#result"), report.days.length > 0);
  if (!report.days.length) return;
  const names = [t("reports.reached"), t("reports.not_reached")];
  $("#days").replaceChildren(
    ...stacked(t("reports.chart_days"), perDay(report), names, $("#days").clientWidth),
  );
  $("#outcomes").replaceChildren(
    ...horizontalBars(t("reports.chart_outcomes"), totalsOf(report.days, "outcomes")),
  );
  $("#ends").replaceChildren(
    ...horizontalBars(t("reports.chart_ends"), totalsOf(report.days, "not_reached")),
  );
  $("#refused").replaceChildren(
    ...horizontalBars(t("reports.chart_refused"), totalsOf(report.days, "refused")),
  );
  $("#rows").replaceChildren(...report.days.map(row));
}

onSubmit($("#period"), fetchAndShow);
await Promise.all([fetchAndShow({}), cases()]);
