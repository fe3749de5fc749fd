// The columns of a file with the field that each is read as, and its first rows as they would be imported.

import { el } from "../dom.js";
import { date, has, t } from "../texts.js";

export function columnRows({ columns, fields, doubtful }, choose) {
  return columns.map((column, at) => {
    const isDoubtful = doubtful.includes(column.name);
    return el(
      "tr",
      { class: isDoubtful ? "doubtful" : "" },
      el("th", { scope: "row", id: `column-${at}` }, column.name || t("lists.no_heading")),
      el("td", { class: "soft" }, column.samples.join(" · ")),
      el("td", {}, select(column, fields, at, choose, isDoubtful)),
    );
  });
}

// A doubtful column may not be ignored: the user has to choose its field.
function select(column, fields, at, choose, isDoubtful) {
  const option = (value, text) => el("option", { value, selected: (column.field ?? "") === value }, text);
  return el(
    "select",
    {
      "aria-labelledby": `column-${at}`,
      "data-key": `column-${at}`,
      "aria-invalid": isDoubtful ? "true" : null,
      onchange: (event) => choose(column.name, event.target.value),
    },
    option("", t(isDoubtful ? "lists.field_choose" : "lists.field_none")),
    ...fields.map((field) => option(field, t(`lists.field.${field}`))),
  );
}

const SHOWN = [
  "number",
  "name",
  "opted_out",
  "ref",
  "born",
  "member",
  "last_gift",
  "ended",
  "source",
  "zone",
];
const FIELD = { number: "phone", opted_out: "do_not_call" };

export function previewRows(rows) {
  const used = SHOWN.filter((key) => key === "number" || rows.some((row) => row[key]));
  const head = el(
    "tr",
    {},
    ...used.map((key) => el("th", { scope: "col" }, t(`lists.field.${FIELD[key] ?? key}`))),
  );
  return [el("thead", {}, head), el("tbody", {}, ...rows.map((row) => previewRow(row, used)))];
}

function previewRow(row, used) {
  if (row.reason) {
    const reason = has(`refused.${row.reason}`) ? t(`refused.${row.reason}`) : row.reason;
    const text = t("lists.preview_refused", { column: row.column ?? "", reason });
    return el("tr", {}, el("td", { colspan: used.length, class: "refused" }, text));
  }
  return el(
    "tr",
    {},
    ...used.map((key) => el("td", { class: key === "number" ? "nowrap" : "" }, cell(key, row[key]))),
  );
}

function cell(key, value) {
  if (value === null || value === undefined) return "";
  if (key === "member" || key === "opted_out") return t(value ? "page.yes" : "page.no");
  if (["born", "last_gift", "ended"].includes(key)) return date(value);
  return String(value);
}
