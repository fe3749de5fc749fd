// The checklist of a person who leaves, which becomes its receipt when it is complete.

import { get, post } from "../api.js";
import "../dates.js";
import { $, el, onPress, onSubmit, show, toast } from "../dom.js";
import { date, dateTime, label, t } from "../texts.js";

let user = null; // whose checklist was asked for last
let shown = null; // whose checklist is on the page
let changed; // shows the page again
let opener = null;

const who = (name) => name ?? t("accounts.checklist_command");

function entry(text, done) {
  const state = t(done ? "accounts.checklist_clear" : "accounts.checklist_still");
  return el("li", {}, `${text} `, el("span", { class: `badge ${done ? "good" : "warn"}` }, state));
}

function item(row, open, about) {
  const ticked = row.at
    ? ` (${t("accounts.checklist_ticked", { when: dateTime(row.at), name: who(row.by) })})`
    : "";
  if (!open) return el("li", {}, `✓ ${label(row.title)}${ticked}`);
  const box = el("input", {
    type: "checkbox",
    checked: Boolean(row.at),
    "data-item": row.key,
    onchange: async () => {
      try {
        await post(`/accounts/${about}/checklist/item`, { item: row.key, done: box.checked });
      } catch (error) {
        toast(error.message);
      }
      await changed();
    },
  });
  return el(
    "li",
    {},
    el("label", { class: "inline" }, box, ` ${label(row.title)}`),
    el("span", { class: "soft" }, ticked),
  );
}

function reminder(data) {
  if (data.signed_at)
    return t("accounts.checklist_signed", { when: dateTime(data.signed_at), version: data.version });
  if (data.letter_on)
    return t("accounts.checklist_letter", {
      when: date(`${data.letter_on}T12:00`),
      name: who(data.letter_by),
    });
  return t(data.left_at ? "accounts.checklist_not_signed" : "accounts.checklist_to_sign");
}

export async function refreshChecklist() {
  if (user === null) return;
  const asked = user;
  const data = await get(`/accounts/${asked}/checklist`);
  if (user !== asked) return; // another checklist was opened, or this one closed
  shown = asked;
  const left = data.state === "left";
  const focused = document.activeElement?.dataset.item;
  $("#checklist-title").textContent = t("accounts.checklist_title", { name: data.name });
  $("#checklist-left").textContent = data.left_at
    ? t("accounts.checklist_left", { when: dateTime(data.left_at) })
    : t("accounts.checklist_announced");
  const items = data.items.map((row) => item(row, data.state !== "complete", asked));
  $("#checklist-items").replaceChildren(
    ...(items.length ? items : [el("li", { class: "soft" }, t("accounts.checklist_no_items"))]),
  );
  if (focused) $(`#checklist [data-item="${focused}"]`)?.focus();
  $("#checklist-signed").textContent = reminder(data);
  $("#checklist-checks").replaceChildren(
    ...Object.entries(data.checks).map(([key, none]) => entry(t(`accounts.check.${key}`), none)),
  );
  show($("#checklist-letter"), left && !data.signed_at);
  show($("#checklist-complete"), left);
  show($("#checklist-withdraw"), data.state === "announced");
  $("#checklist-receipt").textContent = data.completed_at
    ? t("accounts.checklist_receipt", { when: dateTime(data.completed_at), name: who(data.completed_by) })
    : "";
}

export async function openChecklist(id, refresh) {
  user = id;
  changed = refresh;
  opener = document.activeElement?.getAttribute("aria-label");
  $("#checklist-letter").reset();
  await refreshChecklist();
  show($("#checklist"));
  $("#checklist-title").focus();
}

function close() {
  user = null;
  show($("#checklist"), false);
  [...document.querySelectorAll("#people button")]
    .find((button) => button.getAttribute("aria-label") === opener)
    ?.focus();
}
$("#checklist-close").addEventListener("click", close);
onPress($("#checklist-withdraw"), async () => {
  await post(`/accounts/${shown}/checklist/announcement`, { leaves: false });
  close();
  await changed();
});
$("#checklist-print").addEventListener("click", () => window.print());
onSubmit($("#checklist-letter"), async ({ sent_on }) => {
  await post(`/accounts/${shown}/checklist/letter`, { sent_on });
  $("#checklist-letter").reset();
  await changed();
});
onSubmit($("#checklist-complete"), async () => {
  await post(`/accounts/${shown}/checklist/complete`);
  toast(t("accounts.checklist_completed"), "good");
  await changed();
  $("#checklist-title").focus();
});
