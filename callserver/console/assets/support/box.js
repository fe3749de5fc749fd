// A phoner's private box, on every page of theirs: messages to supervisors, conversations, reminders.
// What is typed is kept in this window until it is sent; during a call nothing is sent.

import { get, Problem, post } from "../api.js";
import { $, el, onPress, onSubmit, show, toast } from "../dom.js";
import { kept } from "../kept.js";
import { dateTime, t, time } from "../texts.js";

const KEY = "support.draft";
const REMIND_MS = 24 * 60 * 60 * 1000;
const REMIND_AGAIN_MS = 15_000;
const AGAIN_MS = 2000;
let view;
let ahead = 0; // milliseconds that the server's clock is ahead of the browser's

const to = el("select", { name: "to" });
const words = el("textarea", { name: "words", maxlength: 2000, rows: 4, required: true });
const busy = el("p", { class: "note", hidden: true }, t("support.in_call"));
const send = el("button", { class: "main" }, t("support.send"));
const form = el(
  "form",
  {},
  el("p", { class: "soft" }, t("support.box_text")),
  el("label", {}, t("support.to"), to),
  el("label", {}, t("support.words"), words),
  busy,
  el("p", { class: "wrong", role: "alert", hidden: true }),
  el("div", { class: "row" }, send),
);
const mine = el("ul", {});
const talks = el("ul", {});
const dialog = el(
  "dialog",
  { id: "support-box", "aria-labelledby": "support-box-title" },
  el(
    "div",
    { class: "row apart" },
    el("h2", { id: "support-box-title", tabindex: "-1" }, t("support.box")),
    el("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, t("page.close")),
  ),
  form,
  el("h3", {}, t("support.mine")),
  mine,
  el("h3", {}, t("support.conversations")),
  talks,
);
document.body.append(dialog);

function message(row) {
  const name = row.taken_by ?? "";
  const state = el("span", { class: "badge" }, t(`support.state.${row.state}`, { name }));
  return el(
    "li",
    {},
    el("p", {}, state, " ", el("span", { class: "soft" }, dateTime(row.at))),
    el("p", { class: "words" }, row.words || t("support.no_words")),
    row.answer
      ? el("p", {}, t("support.answered_by", { name, when: dateTime(row.answered_at), answer: row.answer }))
      : null,
  );
}

function talk(row, action) {
  const said = t("support.talk", { when: dateTime(row.at), minutes: row.minutes, name: row.with_name });
  const name = t(`support.${action}`);
  const button = el(
    "button",
    { type: "button", class: "quiet", "aria-label": t("page.of", { label: name, name: said }) },
    name,
  );
  onPress(button, async () => {
    try {
      draw(await post(`/support/talks/${row.id}/${action}`));
      toast(t(action === "book" ? "support.booked" : "support.cancelled"), "good");
    } catch (error) {
      toast(error.message, "bad");
      draw(await get("/support/mine"));
    }
    $("#support-box-title").focus();
  });
  return el("li", { class: "row apart" }, said, button);
}

function draw(fetched) {
  view = fetched;
  const chosen = to.value;
  to.replaceChildren(
    new Option(t("support.to_all"), ""),
    ...view.supervisors.map((supervisor) => new Option(supervisor.name, supervisor.id)),
  );
  to.value = [...to.options].some((option) => option.value === chosen) ? chosen : "";
  const messages = view.messages.map(message);
  mine.replaceChildren(
    ...(messages.length ? messages : [el("li", { class: "soft" }, t("support.none_mine"))]),
  );
  const rows = view.booked.length
    ? view.booked.map((row) => talk(row, "cancel"))
    : view.free.map((row) => talk(row, "book"));
  talks.replaceChildren(...(rows.length ? rows : [el("li", { class: "soft" }, t("support.none_free"))]));
  drawCallInHand();
}

function drawCallInHand() {
  ahead = new Date(view.now) - Date.now();
  show(busy, view.in_call);
  send.setAttribute("aria-disabled", String(view.in_call));
  remind();
}

function remind() {
  const now = new Date(Date.now() + ahead);
  const soon = view.booked.find(({ at }) => new Date(at) >= now && new Date(at) - now < REMIND_MS);
  let text = "";
  if (new Date(view.break_until ?? 0) > now) text = t("support.break", { when: time(view.break_until) });
  else if (soon) text = t("support.reminder", { name: soon.with_name, when: dateTime(soon.at) });
  if ($("#support-reminder").textContent !== text) $("#support-reminder").textContent = text;
  show($("#support-reminder"), text !== "" && !view.in_call);
}

words.value = kept.read(KEY) ?? "";
words.addEventListener("input", () => kept.write(KEY, words.value));

onSubmit(form, async (values) => {
  if (view?.in_call) throw new Error(t("support.in_call"));
  draw(await post("/support/messages", { words: values.words, to: values.to ? Number(values.to) : null }));
  words.value = "";
  kept.drop(KEY);
  toast(t("support.sent"), "good");
  $("#support-box-title").focus();
});

$("#support-open").addEventListener("click", async () => {
  dialog.showModal();
  draw(await get("/support/mine"));
});
document.addEventListener("my_support", ({ detail }) => draw(detail));
document.addEventListener("call_in_hand", ({ detail }) => {
  if (!view) return; // it is being fetched
  Object.assign(view, detail);
  drawCallInHand();
});

async function begin() {
  try {
    draw(await get("/support/mine"));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    setTimeout(begin, AGAIN_MS);
  }
}

await begin();
setInterval(() => view && remind(), REMIND_AGAIN_MS); // a reminder begins and ends without an event
