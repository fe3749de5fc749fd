// The supervisors' page of support: messages, phoners to talk with, conversations on offer.

import { get, post } from "./api.js";
import { dateInput } from "./dates.js";
import { ask, field } from "./dialog.js";
import { $, el, onPress, onSubmit, toast } from "./dom.js";
import { instantOf } from "./home.js";
import { follow } from "./live.js";
import { date, dateTime, list, t } from "./texts.js";

const shown = new Map(); // section -> what it shows: unchanged, it keeps its elements and the focus

function fill(section, rows, element, none) {
  const content = JSON.stringify(rows);
  if (shown.get(section) === content) return;
  shown.set(section, content);
  $(`#${section}`).replaceChildren(
    ...(rows.length ? rows.map(element) : [el("li", { class: "soft" }, t(none))]),
  );
}

function button(key, name, section, does, kind = "quiet") {
  const made = el(
    "button",
    { type: "button", class: kind, "aria-label": t("page.of", { label: t(key), name }) },
    t(key),
  );
  onPress(made, async () => {
    try {
      draw(await does());
    } catch (error) {
      toast(error.message, "bad");
      draw(await get("/support"));
    }
    if (!made.isConnected) $(`#${section}-title`).focus();
  });
  return made;
}

function reply(row) {
  const label = t("support.answer_label", { name: row.name });
  const made = el(
    "button",
    { type: "button", "data-key": `answer-${row.id}`, "aria-label": label },
    t("support.answer"),
  );
  made.addEventListener("click", () =>
    ask(
      label,
      [
        el("p", { class: "words" }, row.words || t("support.no_words")),
        field("words", t("support.answer"), el("textarea", { maxlength: 2000, rows: 4, required: true })),
      ],
      {
        go: t("support.answer_go"),
        keeps: `support.answer.${row.id}`,
        does: async ({ words }) => draw(await post(`/support/messages/${row.id}/answer`, { words })),
      },
    )
      .closest("dialog")
      .addEventListener("close", () => made.isConnected || $("#messages-title").focus(), { once: true }),
  );
  return made;
}

function message(row) {
  const path = `/support/messages/${row.id}`;
  const taken = row.taken_by ?? "";
  const buttons = {
    open: [reply(row), button("support.take", row.name, "messages", () => post(`${path}/take`))],
    taken: [reply(row)],
    answered: [button("support.close", row.name, "messages", () => post(`${path}/close`))],
  }[row.state];
  return el(
    "li",
    {},
    el(
      "p",
      {},
      el("strong", {}, row.name),
      " ",
      el("span", { class: `badge ${row.kind === "harassment" ? "bad" : ""}` }, t(`support.kind.${row.kind}`)),
      " ",
      row.to_me ? el("span", { class: "badge" }, t("support.to_me")) : "",
      " ",
      row.state === "open"
        ? ""
        : el("span", { class: "badge" }, t(`support.state.${row.state}`, { name: taken })),
      " ",
      el("span", { class: "soft" }, dateTime(row.at)),
    ),
    el("p", { class: "words" }, row.words || t("support.no_words")),
    row.answer
      ? el(
          "p",
          {},
          t("support.answered_by", { name: taken, when: dateTime(row.answered_at), answer: row.answer }),
        )
      : null,
    el("div", { class: "row" }, ...buttons),
  );
}

function hardTime(row) {
  const talked = row.last_talked
    ? t("support.last_talked", { when: date(row.last_talked) })
    : t("support.never_talked");
  return el(
    "li",
    { class: "row apart" },
    el(
      "span",
      {},
      el("strong", {}, row.name),
      ` ${list(row.reasons.map((reason) => t(`support.reason.${reason}`)))} `,
      el("span", { class: "soft" }, talked),
    ),
    button("support.talked", row.name, "hard", () => post("/support/talked", { phoner: row.phoner })),
  );
}

function talk(row) {
  const path = `/support/talks/${row.id}`;
  const when = dateTime(row.at);
  const state = row.with_name ? t("support.booked_by", { name: row.with_name }) : t("support.free");
  return el(
    "li",
    { class: "row apart" },
    el("span", {}, `${when} · ${row.minutes} min · `, el("strong", {}, state)),
    el(
      "span",
      { class: "row" },
      row.with_name ? button("support.held", when, "talks", () => post(`${path}/held`), "") : null,
      button("support.withdraw", when, "talks", () => post(`${path}/withdraw`)),
    ),
  );
}

function draw(view) {
  fill("messages", view.messages, message, "support.no_messages");
  fill("hard", view.hard, hardTime, "support.no_hard");
  fill("talks", view.talks, talk, "support.no_talks");
}

const offer = $("#offer");
offer.append(
  el("label", {}, t("support.offer_at"), dateInput("moment", { name: "at", required: true })),
  el(
    "label",
    {},
    t("support.offer_minutes"),
    el("input", { name: "minutes", type: "number", min: 5, max: 240, value: 30, required: true }),
  ),
  el("button", { class: "main" }, t("support.offer")),
  el("p", { class: "wrong", role: "alert", hidden: true }),
);
onSubmit(offer, async ({ at, minutes }) => {
  draw(await post("/support/talks", { at: instantOf(at), minutes: Number(minutes) }));
  offer.reset();
  toast(t("support.offered"), "good");
});

const refresh = async () => draw(await get("/support"));
await follow(refresh, { support: draw });
