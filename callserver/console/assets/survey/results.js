// Results: for each question a table with a bar for each quarter.

import { el, scrolling } from "../dom.js";
import { label, number, t } from "../texts.js";
import { answersOf, quarterName } from "./words.js";

const percent = (count, of) => t("survey.percent", { share: number(Math.round((100 * count) / of)) });

// The bar shows the shares of the answers; the cells beside it say the same in numbers.
function bar(shares) {
  const segments = shares.map((share, at) => {
    const segment = el("span", { class: `step s${at + 1} of${shares.length}` });
    segment.style.width = `${share * 100}%`;
    return segment;
  });
  return el("div", { class: "shares", "aria-hidden": "true" }, ...segments);
}

function row(series, keys, point, smallest) {
  const quarter = el("th", { scope: "row" }, quarterName(point.quarter));
  if (point.counts === null) {
    const colspan = keys.length + (series.kind === "scale" ? 4 : 3);
    return el("tr", {}, quarter, el("td", { class: "soft", colspan }, t("survey.few", { count: smallest })));
  }
  const answered = point.answers - (point.counts[""] ?? 0);
  const counts = keys.map((key) => point.counts[key] ?? 0);
  const cells = counts.map((count) =>
    el("td", { class: "number" }, answered ? percent(count, answered) : "–"),
  );
  if (series.kind === "scale") {
    const sum = counts.reduce((total, count, at) => total + count * (at + 1), 0);
    const average = answered ? number(Math.round((10 * sum) / answered) / 10) : "–";
    cells.push(el("td", { class: "number" }, average));
  }
  return el(
    "tr",
    {},
    quarter,
    el("td", { class: "chart" }, answered ? bar(counts.map((count) => count / answered)) : ""),
    ...cells,
    el("td", { class: "number" }, number(answered)),
    el("td", { class: "number" }, number(point.answers - answered)),
  );
}

function table(series, department, smallest) {
  const points = series.points.filter((point) => point.department === department);
  if (!points.length) return null;
  const answers = answersOf(series);
  const keys = answers.map(([key]) => key);
  const heads = answers.map(([key, text], at) => {
    const mark = el("span", { class: `mark step s${at + 1} of${keys.length}`, "aria-hidden": "true" });
    const words = series.kind === "scale" ? [key, text].filter(Boolean).join(" · ") : text;
    return el("th", { scope: "col", class: "number" }, mark, words);
  });
  if (series.kind === "scale") heads.push(el("th", { scope: "col", class: "number" }, t("survey.average")));
  const head = el(
    "tr",
    {},
    el("th", { scope: "col" }, t("survey.when")),
    el("td", {}),
    ...heads,
    el("th", { scope: "col", class: "number" }, t("survey.answered")),
    el("th", { scope: "col", class: "number" }, t("survey.left_open")),
  );
  return el(
    "div",
    { class: "series" },
    el("h3", {}, label(series.text)),
    scrolling(
      label(series.text),
      el(
        "table",
        {},
        el("thead", {}, head),
        el("tbody", {}, ...points.map((point) => row(series, keys, point, smallest[point.quarter]))),
      ),
    ),
  );
}

export function results({ quarters, series }, department) {
  const smallest = Object.fromEntries(
    quarters.map(({ quarter, smallest_group }) => [quarter, smallest_group]),
  );
  const tables = series.map((question) => table(question, department, smallest)).filter(Boolean);
  const without = quarters
    .filter(({ answers }) => answers === null)
    .map(({ quarter, state, smallest_group: count }) =>
      el("p", { class: "soft" }, t(`survey.${state}`, { quarter: quarterName(quarter), count })),
    );
  if (!tables.length && !without.length) return [el("p", {}, t("survey.no_results"))];
  return [...tables, ...without];
}
