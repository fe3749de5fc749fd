// Lists: what stands where, a file taken in step by step, copies taken out.

import { download, get, post, upload } from "./api.js";
import { write } from "./dates.js";
import { $, el, onPress, onSubmit, scrolling, show, toast } from "./dom.js";
import { cameTo } from "./lists_figures.js";
import { columnRows, previewRows } from "./lists_columns.js";
import { follow } from "./live.js";
import { local, thisEvening } from "./rules_show.js";
import { progressBar, stream } from "./stream.js";
import { date, dateTime, label, now, number, setClock, t } from "./texts.js";

let lists;
let file = null; // { campaign, upload, region } of the file that was sent
let chosen = null; // column -> field

const titles = () => Object.fromEntries(lists.lists.map((one) => [one.campaign, label(one.title)]));

async function anew() {
  lists = await get("/lists");
  setClock(lists.now);
  $("#lists").replaceChildren(...lists.lists.map(listRow));
  history();
  const select = $("#campaign");
  if (select && !select.options.length) {
    select.append(...lists.lists.map((one) => el("option", { value: one.campaign }, label(one.title))));
    show($("#quietly"), lists.only_quietly);
    $("#file-label").textContent = t("lists.file", { most: number(lists.most_mb) });
  }
}

function listRow({ campaign, title, sizes }) {
  const count = (...names) => number(names.reduce((sum, name) => sum + (sizes[name] ?? 0), 0));
  const cell = (...names) => el("td", { class: "number" }, count(...names));
  const copy = (what) => async () => {
    await download(`/lists/${campaign}/export`, { what });
    toast(t("lists.copied"));
  };
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, label(title)),
    cell("ready", "claimed"),
    cell("waiting"),
    cell("call_back"),
    cell("done", "closed"),
    el(
      "td",
      {},
      el("button", { type: "button", class: "quiet", onclick: copy("contacts") }, t("lists.copy_contacts")),
      el("button", { type: "button", class: "quiet", onclick: copy("outcomes") }, t("lists.copy_outcomes")),
    ),
  );
}

function history() {
  const found = lists.imports;
  if (!found.length) {
    $("#history").replaceChildren(el("p", { class: "soft" }, t("lists.no_history")));
    return;
  }
  const names = ["read", "taken", "changed", "unchanged", "duplicates", "refused"];
  const head = ["lists.when", "lists.campaign", "lists.who"].map((key) => el("th", { scope: "col" }, t(key)));
  const heads = names.map((name) => el("th", { scope: "col", class: "number" }, t(`lists.count.${name}`)));
  const rows = found.map((one) =>
    el(
      "tr",
      {},
      el("td", {}, dateTime(one.at)),
      el("td", {}, titles()[one.campaign] ?? one.campaign),
      el("td", {}, one.by === "command" ? t("lists.by_command") : one.by),
      ...names.map((name) => el("td", { class: "number" }, number(one.counts[name] ?? 0), name === "refused" ? refusedLink(one) : null)),
    ),
  );
  $("#history").replaceChildren(
    scrolling(t("lists.history"), el("table", {}, el("thead", {}, el("tr", {}, ...head, ...heads)), el("tbody", {}, ...rows))),
  );
}

function refusedLink(one) {
  if (!one.counts.refused) return null;
  if (!$("#import") || !one.refused_kept) return el("span", { class: "soft block" }, one.refused_kept ? "" : t("lists.refused_gone"));
  return el(
    "button",
    { type: "button", class: "quiet block", onclick: () => download(`/imports/${one.id}/refused`) },
    t("lists.get_refused"),
  );
}

// -- a file, step by step -------------------------------------------------------------------------

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

if ($("#import")) {
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
      write($("#try [name=at]"), local(thisEvening()));
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
        el("button", { type: "button", onclick: () => download(`/imports/${found.number}/refused`) }, t("lists.get_refused")),
        " ",
        el("span", { class: "soft" }, t("lists.get_refused_hint")),
      )
    : null;
  $("#done").replaceChildren(cameTo(found, t("lists.did"), titles()), ...(fetch ? [fetch] : []));
  $("#done-step").focus();
  anew();
}

await anew();
follow(anew, { lists: anew });
