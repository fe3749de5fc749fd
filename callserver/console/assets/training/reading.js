// The documents that I have to sign, and the text of the one that is open. The next one to read opens by itself.

import { get, post } from "../api.js";
import { article } from "../books/library.js";
import { $, el, onPress, show } from "../dom.js";
import { date, dateTime, t } from "../texts.js";

let mine = { documents: [] };
let opened = null; // the document whose text is shown, with its version
let changed = () => {};

const isOwed = (document) => document.state !== "signed";

export function badge(document) {
  if (document.state === "signed")
    return el("span", { class: "badge good" }, t("training.signed", { date: date(document.signed_at) }));
  if (document.state === "due")
    return el("span", { class: "badge warn" }, t("training.due", { date: date(document.due) }));
  return el("span", { class: "badge bad" }, t("training.owed"));
}

function summary() {
  const owed = mine.documents.filter(isOwed);
  if (!owed.length) return t("training.all_signed");
  const blocked = owed.some((document) => document.state === "owed");
  const count = owed.length;
  return t(blocked && mine.phones ? "training.count_owed" : "training.count_due", { count });
}

export function draw(next) {
  mine = next;
  const focused = document.activeElement?.dataset.document;
  $("#summary").textContent = summary();
  $("#documents").replaceChildren(
    ...mine.documents.map((document) =>
      el(
        "li",
        {},
        el(
          "button",
          {
            type: "button",
            "data-document": document.key,
            "aria-pressed": String(document.key === opened?.key),
            onclick: () => open(document.key, true),
          },
          document.title,
          badge(document),
        ),
      ),
    ),
  );
  if (focused) $(`[data-document="${focused}"]`)?.focus();
  const current = mine.documents.find((document) => document.key === opened?.key);
  show($("#sign"), current !== undefined && isOwed(current));
  show($("#reading"), opened !== null);
}

async function open(key, focus) {
  opened = await get(`/training/documents/${key}`);
  const { since } = mine.documents.find((document) => document.key === key);
  const version = el("p", { class: "soft" }, t("training.version", { when: since ? dateTime(since) : "–" }));
  $("#text").replaceChildren(article(opened), version);
  draw(mine);
  if (focus) $("#reading").focus();
}

export async function openNext(focus) {
  const next = mine.documents.find(isOwed);
  if (next) await open(next.key, focus);
  else if (focus) $("#summary").focus();
}

export function start(onChange) {
  changed = onChange;
  $("#summary").tabIndex = -1;
  onPress($("#sign"), async () => {
    const { key, version } = opened;
    changed(await post("/training/signatures", { document: key, version }));
    await openNext(true);
  });
}
