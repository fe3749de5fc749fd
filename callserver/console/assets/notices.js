// The notices page: the case of the month and talks, a search, and the form for those who write.

import { post } from "./api.js";
import { write as writeDate } from "./dates.js";
import { $, el, newest, onSubmit, show, toast } from "./dom.js";
import { instantOf, local } from "./home.js";
import { keepForm } from "./kept.js";
import { follow } from "./live.js";
import { onConfirmedSubmit } from "./notices/confirmed.js";
import { item } from "./notices/item.js";
import { label, t } from "./texts.js";

let changing = null; // the notice in the form; null: a new one
const draft = $("#write") && keepForm($("#write"), () => (changing ? "" : "notices.new"));

function draw(view) {
  const words = $("#search").words.value.trim();
  const items = view.notices.map((notice) => item(notice, view.departments, { change, drawn: draw }));
  const none = el("p", {}, t(words ? "notices.nothing" : "notices.none"));
  $("#list").replaceChildren(...(items.length ? items : [none]));
  if ($("#write") && !$("#write").department.length) {
    const whole = view.all ? [new Option(t("notices.all"), "")] : [];
    const options = Object.entries(view.departments).map(([key, title]) => new Option(label(title), key));
    $("#write").department.replaceChildren(...whole, ...options);
  }
}

// Keeps what is being typed: while a question is half written, the list is not redrawn.
const isWriting = () =>
  [...document.querySelectorAll("#list textarea")].some((field) => field.value.trim()) ||
  $("#list details[open]") !== null;

const search = newest(async () => {
  draw(await post("/notices/search", { words: $("#search").words.value }));
});

const refresh = async () => {
  if (!isWriting()) await search();
};

function choose() {
  const isTalk = $("#write").kind.value === "talk";
  for (const [selector, wanted] of [
    ["#day", !isTalk],
    ["#begins", isTalk],
    ["#expert", isTalk],
  ]) {
    show($(selector), wanted);
    $("input", $(selector)).required = wanted;
  }
}

function change(notice) {
  const form = $("#write");
  changing = notice;
  form.kind.value = notice.kind;
  form.kind.disabled = true;
  choose();
  writeDate(notice.kind === "talk" ? form.begins : form.day, local(notice.at));
  form.expert.value = notice.expert ?? "";
  form.department.value = notice.department ?? "";
  form.title.value = notice.title;
  form.text.value = notice.text;
  $("#write-title").textContent = t("notices.changing");
  show($("#stop"));
  form.title.focus();
}

function stop() {
  changing = null;
  $("#write").reset();
  $("#write").kind.disabled = false;
  choose();
  draft.bring();
  $("#write-title").textContent = t("notices.write");
  show($("#stop"), false);
}

async function publish(values) {
  const kind = changing?.kind ?? values.kind;
  const body = {
    kind,
    title: values.title,
    text: values.text,
    at: instantOf(kind === "talk" ? values.begins : values.day),
    department: values.department || null,
    expert: kind === "talk" ? values.expert : "",
    has_no_number: values.has_no_number,
  };
  $("#search").reset();
  draw(await post(changing ? `/notices/${changing.id}` : "/notices", body));
  if (!changing) draft.drop();
  stop();
  toast(t("notices.published"), "good");
  $("#list-title").focus();
}

onSubmit($("#search"), search);
if ($("#write")) {
  $("#write").kind.addEventListener("change", choose);
  $("#stop").addEventListener("click", () => {
    stop();
    $("#write-title").focus();
  });
  onConfirmedSubmit($("#write"), publish);
}
await follow(refresh, { notices: refresh });
draft?.bring();
const linked = location.hash && document.getElementById(location.hash.slice(1));
if (linked) {
  linked.scrollIntoView();
  linked.focus();
  const box = $("details", linked);
  if (box) box.open = true;
}
