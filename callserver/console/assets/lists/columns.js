// The columns of a file and what they are taken for; its first rows as they would be read.

import { el } from "../dom.js";
import { date, has, t } from "../texts.js";

export function columnRows({ columns, fields, doubtful }, choose) {
  return columns.map((one, at) => {
    const isDoubtful = doubtful.includes(one.name);
    return el(
      "tr",
      { class: isDoubtful ? "doubtful" : "" },
      el("th", { scope: "row", id: `column-${at}` }, one.name || t("lists.no_heading")),
      el("td", { class: "soft" }, one.samples.join(" · ")),
      el("td", {}, select(one, fields, at, choose, isDoubtful)),
    );
  });
}

// A doubtful column cannot be a mere detail: somebody has to say what it is.
function select(one, fields, at, choose, isDoubtful) {
  const option = (value, text) => el("option", { value, selected: (one.field ?? "") === value }, text);
  return el(
    "select",
    {
      "aria-labelledby": `column-${at}`,
      "aria-invalid": isDoubtful ? "true" : null,
      onchange: (event) => choose(one.name, event.target.value),
    },
    option("", t(isDoubtful ? "lists.field_choose" : "lists.field_none")),
    ...fields.map((field) => option(field, t(`lists.field.${field}`))),
  );
}

const SHOWN = ["number", "name", "ref", "born", "member", "last_gift", "ended", "source", "zone"];
const FIELD = { number: "phone" };

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
    const said = t("lists.preview_refused", { column: row.column ?? "", reason });
    return el("tr", {}, el("td", { colspan: used.length, class: "refused" }, said));
  }
  return el(
    "tr",
    {},
    ...used.map((key) => el("td", { class: key === "number" ? "nowrap" : "" }, cell(key, row[key]))),
  );
}

function cell(key, value) {
  if (value === null || value === undefined) return "";
  if (key === "member") return t(value ? "page.yes" : "page.no");
  if (["born", "last_gift", "ended"].includes(key)) return date(value);
  return String(value);
}
