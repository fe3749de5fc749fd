// Reminds of documents that I have not signed, between calls.

import { get } from "../api.js";
import { $, show } from "../dom.js";
import { date, t } from "../texts.js";

let unsigned = [];
let isLeaving = false; // leaves, and has not signed the reminder of confidentiality
let isInCall = false;

function draw() {
  show($("#documents-reminder"), (unsigned.length > 0 || isLeaving) && !isInCall);
  if (!unsigned.length) {
    $("#documents-reminder span").textContent = isLeaving ? t("training.leaving_reminder") : "";
    return;
  }
  const count = unsigned.length;
  const dues = unsigned.map((document) => document.due).sort();
  $("#documents-reminder span").textContent = unsigned.some((document) => document.state === "owed")
    ? t("training.count_owed", { count })
    : t("training.reminder", { count, date: date(dues[0]) });
}

export function draws(at) {
  isInCall = Boolean(at.call);
  draw();
}

export function take({ documents, leaving }) {
  isLeaving = leaving !== null && !leaving.signed_at;
  unsigned = documents.filter((document) => document.state !== "signed");
  draw();
}

export const look = async () => take(await get("/training"));
