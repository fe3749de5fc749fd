// The import of a file in steps: upload, columns, dry run, import.

import { download, post, upload } from "../api.js";
import { write } from "../dates.js";
import "../file_field.js";
import { $, el, keepFocus, onPress, onSubmit, show } from "../dom.js";
import { instantOf } from "../home.js";
import { thisEvening } from "../local_time.js";
import { progressBar, stream } from "../stream.js";
import { date, list, now, t } from "../texts.js";
import { columnRows, previewRows } from "./columns.js";
import { importResult } from "./figures.js";

let titles;
let imported;
let file = null; // { campaign, upload, region } of the file that was sent
let chosen = null; // column -> field
let turn = 0; // counts previews: only the latest is shown

const reading = () => ({
  upload: file.upload,
  region: file.region,
  columns: chosen,
  source: $("#source").value.trim() || null,
  namespace: $("#namespace").value.trim() || null,
});

// The last step is shown with the preview: nothing is imported before it was seen how the file is read.
function step(name) {
  for (const id of ["columns-step", "try-step", "done-step"]) show($(`#${id}`), id === name);
}

function say(element, text) {
  element.textContent = text || "";
  show(element, Boolean(text));
}

function sentence({ problem, values, doubtful }) {
  if (problem === "lists.same_field") return t(problem, { why: t(`lists.field.${values.why}`) });
  if (problem === "error.doubtful_columns") return t(problem, { why: list(doubtful) });
  return t(problem, values);
}

async function showPreview() {
  turn += 1;
  const mine = turn;
  const preview = await post(`/lists/${file.campaign}/preview`, reading());
  if (mine !== turn) return; // another column was chosen meanwhile
  chosen = Object.fromEntries(
    preview.columns.filter((column) => column.field).map((column) => [column.name, column.field]),
  );
  const rows = columnRows(preview, async (column, field) => {
    if (field) chosen[column] = field;
    else delete chosen[column];
    await showPreview();
  });
  keepFocus(() => $("#columns").replaceChildren(...rows), $("#columns-title"));
  const problem = preview.problem;
  const readable = preview.columns.length > 0;
  say($("#problem"), problem && sentence(preview));
  show($("#columns-table"), readable);
  show($("#columns-hint"), readable);
  const otherPhones = preview.other_phones.join(", ");
  say($("#other-phones"), otherPhones && t("lists.other_phones", { columns: otherPhones }));
  say($("#row-numbers"), preview.row_numbers && t("lists.row_numbers", { column: preview.row_numbers }));
  say($("#above"), preview.above && t("import.above", { lines: preview.above }));
  say($("#encoding"), preview.encoding && t("lists.encoding", { encoding: preview.encoding }));
  show($("#source-field"), readable && !preview.has_source);
  const hasReference = preview.columns.some((column) => column.field === "ref");
  show($("#namespace-field"), readable && hasReference);
  $("#rows").replaceChildren(...previewRows(preview.rows));
  show($("#preview"), preview.rows.length > 0);
  show($("#try-step"), !problem);
  $("#dry-run-result").replaceChildren();
}

// `titles()`: campaign -> its title; `imported()` is called after an import.
export function start(options) {
  ({ titles, imported } = options);
  onSubmit($("#file-step"), async ({ campaign, file: sent, region }) => {
    const { element, update } = progressBar();
    $("#sending").replaceChildren(element);
    step(null);
    try {
      const percent = (part) => update({ done: Math.round(part * 100), of: 100, what: "lists.sending" });
      const uploaded = await upload("/uploads", sent, percent);
      file = { campaign, region, upload: uploaded.upload };
      chosen = null;
      const name = sent.name.replace(/\.[^.]*$/, "");
      $("#source").value = t("lists.source_default", { name, date: date(now()) });
      step("columns-step");
      write($("#dry-run [name=at]"), thisEvening());
      await showPreview();
      $("#columns-title").scrollIntoView({ block: "start" });
    } finally {
      $("#sending").replaceChildren();
    }
  });
  onSubmit($("#dry-run"), async ({ at }) => {
    await work($("#dry-run-result"), async (onProgress) => {
      const request = { ...reading(), at: instantOf(at) };
      const result = await stream(`/lists/${file.campaign}/dry-run`, request, onProgress);
      return importResult(result, t("lists.would"), titles());
    });
  });
  onPress($("#import-now"), async () => {
    const taken = await work($("#dry-run-result"), async (onProgress) => {
      const result = await stream(`/lists/${file.campaign}/import`, reading(), onProgress);
      return { result };
    });
    if (taken) finished(taken.result);
  });
  $("#again").addEventListener("click", () => {
    step(null);
    $("#file-step").reset();
    $("#campaign").focus();
  });
}

async function work(where, does) {
  const { element, update } = progressBar();
  where.replaceChildren(element);
  try {
    const result = await does(update);
    if (result instanceof Node) where.replaceChildren(result);
    else where.replaceChildren();
    return result;
  } catch (error) {
    where.replaceChildren(el("p", { class: "wrong" }, error.message));
    return null;
  }
}

function finished(result) {
  file = null;
  step("done-step");
  const fetch = result.counts.refused
    ? el(
        "p",
        {},
        el(
          "button",
          { type: "button", onclick: () => download(`/imports/${result.number}/refused`) },
          t("lists.get_refused"),
        ),
        " ",
        el("span", { class: "soft" }, t("lists.get_refused_hint")),
      )
    : null;
  $("#done").replaceChildren(importResult(result, t("lists.did"), titles()), ...(fetch ? [fetch] : []));
  $("#done-step").focus();
  imported();
}
