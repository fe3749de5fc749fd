// What an import came to, or would come to.

import { el } from "../dom.js";
import { dateTime, has, number, t } from "../texts.js";

const COUNTS = ["read", "taken", "changed", "unchanged", "duplicates", "refused", "shared", "opted_out"];
const ONLY_SOME = ["shared", "opted_out"];

function figures(caption, rows) {
  return el(
    "table",
    { class: "figures" },
    el("caption", {}, caption),
    el(
      "thead",
      { class: "sr" },
      el(
        "tr",
        {},
        el("th", { scope: "col" }, t("lists.figure")),
        el("th", { scope: "col" }, t("lists.count")),
      ),
    ),
    el(
      "tbody",
      {},
      ...rows.map(([name, count]) =>
        el("tr", {}, el("th", { scope: "row" }, name), el("td", { class: "number" }, number(count))),
      ),
    ),
  );
}

const said = (family, key) => (has(`${family}.${key}`) ? t(`${family}.${key}`) : key);
const largest = (counts) => Object.entries(counts).sort((one, other) => other[1] - one[1]);

export function cameTo(found, caption, titles) {
  const counts = COUNTS.filter((name) => !ONLY_SOME.includes(name) || found.counts[name]).map((name) => [
    t(`lists.count.${name}`),
    found.counts[name],
  ]);
  const elsewhere = Object.entries(found.elsewhere).map(([campaign, count]) => [
    t("lists.elsewhere", { campaign: titles[campaign] ?? campaign }),
    count,
  ]);
  const parts = [figures(caption, [...counts, ...elsewhere])];
  if (found.callable) {
    const { callable = 0, ...refused } = found.callable;
    const rows = largest(refused).map(([reason, count]) => [said("reason", reason), count]);
    parts.push(
      el(
        "div",
        {},
        el(
          "p",
          { class: "note" },
          el("strong", {}, t("lists.callable_sum", { count: number(callable), when: dateTime(found.at) })),
        ),
        rows.length ? figures(t("lists.callable"), rows) : null,
      ),
    );
  }
  const notes = [
    found.unread.length ? t("lists.unread", { columns: found.unread.join(", ") }) : "",
    found.unclear
      ? t("lists.unclear", {
          count: number(found.unclear),
          lines: found.unclear_lines.map(number).join(", "),
        })
      : "",
    found.row_numbers ? t("lists.row_numbers", { column: found.row_numbers }) : "",
    found.encoding ? t("lists.encoding", { encoding: found.encoding }) : "",
  ].filter(Boolean);
  parts.push(...notes.map((note) => el("p", { class: "note" }, note)));
  if (found.counts.refused) parts.push(refusedRows(found));
  return el("div", { class: "came-to" }, ...parts);
}

function refusedRows(found) {
  const why = largest(found.reasons).map(([reason, count]) => [said("refused", reason), count]);
  const first = el(
    "details",
    {},
    el("summary", {}, t("lists.refused_first")),
    el(
      "table",
      {},
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          ...["lists.line", "lists.column", "lists.reason"].map((key) => el("th", { scope: "col" }, t(key))),
        ),
      ),
      el(
        "tbody",
        {},
        ...found.refused.map((row) =>
          el(
            "tr",
            {},
            el("td", { class: "number" }, number(row.line)),
            el("td", {}, row.column),
            el("td", {}, said("refused", row.reason)),
          ),
        ),
      ),
    ),
  );
  return el("div", {}, figures(t("lists.refused_why"), why), first);
}
