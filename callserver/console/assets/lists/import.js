// A file imported step by step: sent, its columns chosen, tried, imported.

import { download, post, upload } from "../api.js";
import { write } from "../dates.js";
import { $, el, onPress, onSubmit, show } from "../dom.js";
import { localInput, thisEvening } from "../local_time.js";
import { progressBar, stream } from "../stream.js";
import { date, now, t } from "../texts.js";
import { columnRows, previewRows } from "./columns.js";
import { cameTo } from "./figures.js";

let titles;
let imported;
let file = null; // { campaign, upload, region } of the file that was sent
let chosen = null; // column -> field

const reading = () => ({
  upload: file.upload,
  region: file.region,
  columns: chosen,
  source: $("#source").value.trim() || null,
});

function step(name) {
  for (const one of ["columns-step", "try-step", "done-step"]) show($(`#${one}`), false);
  if (name === "columns-step") {
    show($("#columns-step"));
    show($("#try-step"));
  } else if (name) show($(`#${name}`));
}

function say(element, text) {
  element.textContent = text || "";
  show(element, Boolean(text));
}

function why({ problem, why: named, doubtful }) {
  if (problem === "lists.same_field") return t(`lists.field.${named}`);
  return problem === "lists.doubtful" ? doubtful.join(", ") : named;
}

async function preview() {
  const found = await post(`/lists/${file.campaign}/preview`, reading());
  chosen = Object.fromEntries(found.columns.filter((one) => one.field).map((one) => [one.name, one.field]));
  $("#columns").replaceChildren(
    ...columnRows(found, async (column, field) => {
      if (field) chosen[column] = field;
      else delete chosen[column];
      await preview();
    }),
  );
  const problem = found.problem;
  const readable = found.columns.length > 0;
  say($("#problem"), problem && t(problem, { why: why(found) }));
  show($("#columns-table"), readable);
  show($("#columns-hint"), readable);
  say($("#row-numbers"), found.row_numbers && t("lists.row_numbers", { column: found.row_numbers }));
  say($("#encoding"), found.encoding && t("lists.encoding", { encoding: found.encoding }));
  show($("#source-field"), readable && !found.has_source);
  $("#rows").replaceChildren(...previewRows(found.rows));
  show($("#preview"), found.rows.length > 0);
  show($("#try-step"), !problem);
  $("#tried").replaceChildren();
}

// `titles()`: campaign -> its title; `imported()`: a list has been imported.
export function start(options) {
  ({ titles, imported } = options);
  onSubmit($("#file-step"), async ({ campaign, file: sent, region }) => {
    const { element, tell } = progressBar();
    $("#sending").replaceChildren(element);
    step(null);
    try {
      const percent = (part) => tell({ done: Math.round(part * 100), of: 100, what: "lists.sending" });
      const made = await upload("/uploads", sent, percent);
      file = { campaign, region, upload: made.upload };
      chosen = null;
      const name = sent.name.replace(/\.[^.]*$/, "");
      $("#source").value = t("lists.source_default", { name, date: date(now()) });
      step("columns-step");
      write($("#try [name=at]"), localInput(thisEvening()));
      await preview();
      $("#columns-title").scrollIntoView({ block: "start" });
    } finally {
      $("#sending").replaceChildren();
    }
  });
  onSubmit($("#try"), async ({ at }) => {
    await work($("#tried"), async (tell) => {
      const asked = { ...reading(), at: new Date(at).toISOString() };
      const found = await stream(`/lists/${file.campaign}/dry-run`, asked, tell);
      return cameTo(found, t("lists.would"), titles());
    });
  });
  onPress($("#take"), async () => {
    const taken = await work($("#tried"), async (tell) => {
      const found = await stream(`/lists/${file.campaign}/import`, reading(), tell);
      return { found };
    });
    if (taken) finished(taken.found);
  });
  $("#again").addEventListener("click", () => {
    step(null);
    $("#file-step").reset();
    $("#campaign").focus();
  });
}

async function work(where, does) {
  const { element, tell } = progressBar();
  where.replaceChildren(element);
  try {
    const made = await does(tell);
    if (made instanceof Node) where.replaceChildren(made);
    else where.replaceChildren();
    return made;
  } catch (error) {
    where.replaceChildren(el("p", { class: "wrong" }, error.message));
    return null;
  }
}

function finished(found) {
  file = null;
  step("done-step");
  const fetch = found.counts.refused
    ? el(
        "p",
        {},
        el(
          "button",
          { type: "button", onclick: () => download(`/imports/${found.number}/refused`) },
          t("lists.get_refused"),
        ),
        " ",
        el("span", { class: "soft" }, t("lists.get_refused_hint")),
      )
    : null;
  $("#done").replaceChildren(cameTo(found, t("lists.did"), titles()), ...(fetch ? [fetch] : []));
  $("#done-step").focus();
  imported();
}
