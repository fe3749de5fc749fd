// The monthly figures of cases, without names.

import { get } from "../api.js";
import { $, el, onSubmit, scrolling } from "../dom.js";
import { number, t } from "../texts.js";

const COLUMNS = ["opened", "answered", "median", "late", "overdue"];

const days = (hours) => {
  if (hours === null) return "";
  return t("cases.report_days", { days: Math.round(hours / 2.4) / 10 });
};

function row({ kind, opened, answered, median_hours: hours, late, overdue }) {
  const figures = [number(opened), number(answered), days(hours), number(late), number(overdue)];
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, kind === null ? t("cases.report_all") : t(`cases.kind.${kind}`)),
    ...figures.map((figure) => el("td", { class: "number" }, figure)),
  );
}

async function show({ month } = { month: "" }) {
  const report = await get(`/cases/report?${new URLSearchParams({ month })}`);
  $("#month").month.value = report.month;
  const heads = COLUMNS.map((key) => el("th", { scope: "col", class: "number" }, t(`cases.report_${key}`)));
  const head = el("tr", {}, el("th", { scope: "col" }, t("cases.what")), ...heads);
  $("#cases").replaceChildren(
    report.kinds.length
      ? scrolling(
          t("cases.report"),
          el("table", {}, el("thead", {}, head), el("tbody", {}, ...report.kinds.map(row))),
        )
      : el("p", {}, t("cases.report_none")),
  );
}

export async function cases() {
  onSubmit($("#month"), show);
  await show();
}
