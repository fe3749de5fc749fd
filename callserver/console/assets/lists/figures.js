// The result of an import or of a dry run.

import { el } from "../dom.js";
import { dateTime, has, list, number, t } from "../texts.js";

const COUNTS = ["read", "taken", "changed", "unchanged", "duplicates", "refused", "shared", "opted_out"];
const UNLESS_ZERO = ["shared", "opted_out"];

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

const textOf = (family, key) => (has(`${family}.${key}`) ? t(`${family}.${key}`) : key);
const largest = (counts) => Object.entries(counts).sort((a, b) => b[1] - a[1]);

export function importResult(result, caption, titles) {
  const counts = COUNTS.filter((name) => !UNLESS_ZERO.includes(name) || result.counts[name]).map((name) => [
    t(`lists.count.${name}`),
    result.counts[name],
  ]);
  const elsewhere = Object.entries(result.elsewhere).map(([campaign, count]) => [
    t("lists.elsewhere", { campaign: titles[campaign] ?? campaign }),
    count,
  ]);
  const parts = [figures(caption, [...counts, ...elsewhere])];
  const changes = largest(result.changes).map(([name, count]) => [t(`lists.field.${name}`), count]);
  if (changes.length) parts.push(figures(t("lists.changes"), changes));
  if (result.consents)
    parts.push(el("p", { class: "note" }, t("lists.consents", { count: number(result.consents) })));
  if (result.set_aside)
    parts.push(el("p", { class: "note" }, t("lists.set_aside", { count: number(result.set_aside) })));
  if (result.missing)
    parts.push(el("p", { class: "note" }, t("lists.missing", { count: number(result.missing) })));
  if (result.unrecognised)
    parts.push(
      el(
        "p",
        { class: "wrong", role: "alert" },
        t("import.unrecognised", {
          count: result.unrecognised,
          lines: result.unrecognised_lines.map(number).join(", "),
        }),
      ),
    );
  if (result.callable) {
    const { callable = 0, ...refused } = result.callable;
    const rows = largest(refused).map(([reason, count]) => [textOf("reason", reason), count]);
    parts.push(
      el(
        "div",
        {},
        el(
          "p",
          { class: "note" },
          el("strong", {}, t("lists.callable_sum", { count: number(callable), when: dateTime(result.at) })),
        ),
        rows.length ? figures(t("lists.callable"), rows) : null,
      ),
    );
  }
  const notes = [
    result.unread.length ? t("lists.unread", { columns: list(result.unread) }) : "",
    result.unclear
      ? t("lists.unclear", {
          count: number(result.unclear),
          lines: list(result.unclear_lines.map(number)),
        })
      : "",
    result.no_keys
      ? t("lists.no_keys", {
          count: number(result.no_keys),
          lines: result.no_keys_lines.map(number).join(", "),
        })
      : "",
    result.no_homes
      ? t("lists.no_homes", {
          count: number(result.no_homes),
          lines: result.no_homes_lines.map(number).join(", "),
        })
      : "",
    result.row_numbers ? t("lists.row_numbers", { column: result.row_numbers }) : "",
    result.above ? t("import.above", { lines: result.above }) : "",
    result.encoding ? t("lists.encoding", { encoding: result.encoding }) : "",
  ].filter(Boolean);
  parts.push(...notes.map((note) => el("p", { class: "note" }, note)));
  if (result.counts.refused) parts.push(refusedRows(result));
  return el("div", { class: "came-to" }, ...parts);
}

function refusedRows(result) {
  const why = largest(result.reasons).map(([reason, count]) => [textOf("refused", reason), count]);
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
        ...result.refused.map((row) =>
          el(
            "tr",
            {},
            el("td", { class: "number" }, number(row.line)),
            el("td", {}, row.column),
            el("td", {}, textOf("refused", row.reason)),
          ),
        ),
      ),
    ),
  );
  return el("div", {}, figures(t("lists.refused_why"), why), first);
}
