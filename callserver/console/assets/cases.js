// The cases page: the list of cases, one case, a new one.

import { get, post } from "./api.js";
import { close, onChange, open, refresh } from "./cases/case.js";
import { due, ownerOf, stateBadge } from "./cases/words.js";
import { $, el, keepFocus, newest, onPress, onSubmit, scrolling, show, toast } from "./dom.js";
import { keepForm } from "./kept.js";
import { follow } from "./live.js";
import { dateTime, t } from "./texts.js";

const COLUMNS = ["number", "what", "state", "due", "owner", "opened"];
const SENT = new Set(["email", "sms"]);

function row(item) {
  const go = el(
    "button",
    { type: "button", "data-key": `case-${item.id}`, "aria-label": t("cases.show", { case: item.id }) },
    String(item.id),
  );
  onPress(go, () => open(item.id));
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, go),
    el("td", {}, t(`cases.kind.${item.kind}`)),
    el(
      "td",
      {},
      stateBadge(item),
      item.failed ? el("span", { class: "badge bad" }, t("cases.not_delivered")) : null,
    ),
    el("td", {}, due(item)),
    el("td", {}, ownerOf(item)),
    el("td", { class: "at" }, dateTime(item.opened_at)),
  );
}

const list = newest(async () => {
  const closed = $("#closed").checked;
  const { cases } = await get(`/cases?closed=${closed}`);
  draw(cases, closed);
});

function draw(cases, closed) {
  const heads = COLUMNS.map((key) => el("th", { scope: "col" }, t(`cases.${key}`)));
  const shown = cases.length
    ? scrolling(
        t("cases.title"),
        el("table", {}, el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...cases.map(row))),
      )
    : el("p", {}, t(closed ? "cases.none_closed" : "cases.none"));
  keepFocus(() => $("#list").replaceChildren(shown), $("#list-title"));
}

function told(text, receipt) {
  $("#receipt p").textContent = text;
  $("#receipt pre").textContent = receipt ?? "";
  show($("#receipt pre"), Boolean(receipt));
  show($("#receipt"));
  toast(text, "good");
}

onChange(list);
$("#closed").addEventListener("change", list);
$("#back").addEventListener("click", () => {
  close();
  $("#list-title").focus();
});

if ($("#new")) {
  const form = $("#new");
  const draft = keepForm(form, () => "cases.new");
  form.reply_by.addEventListener("change", () => show($("#new-to"), SENT.has(form.reply_by.value)));
  draft.bring();
  onSubmit(form, async (values) => {
    const reply = {
      reply_by: values.reply_by || null,
      reply_to: SENT.has(values.reply_by) ? values.reply_to : "",
    };
    const made = await post("/cases", { ...values, ...reply });
    draft.drop();
    form.reset();
    show($("#new-to"), false);
    const text = made.state === "closed" ? "cases.done_at_once" : "cases.created";
    told(t(made.unprotected ? "cases.unprotected" : text, { case: made.id }), made.receipt);
    await list();
  });
}

await follow(list, {
  cases: async ({ cases, changed }) => {
    if ($("#closed").checked) await list();
    else draw(cases, false);
    await refresh(changed);
  },
});
