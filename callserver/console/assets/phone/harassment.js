// Reporting harassment: while somebody is on the line, and until the outcome is saved.

import { post } from "../api.js";
import { ask, field } from "../dialog.js";
import { $, el, show, toast } from "../dom.js";
import { t } from "../texts.js";
import { hasAnsweredCall, look } from "./seat.js";

let attempt = null;

export function draws(at) {
  attempt = hasAnsweredCall(at) ? (at.call?.attempt ?? null) : null;
  show($("#harassment"), attempt !== null);
}

function report() {
  const about = attempt; // the dialog may stay open after the call
  ask(
    t("support.harassment_title"),
    [
      el("p", {}, t("support.harassment_text")),
      field("words", t("support.harassment_words"), el("textarea", { maxlength: 2000, rows: 3 })),
    ],
    {
      go: t("support.harassment_go"),
      bad: true,
      keeps: `harassment.${about}`,
      does: async ({ words }) => {
        await post("/support/harassment", { attempt: about, words });
        toast(t("support.harassment_done"), "good");
        await look();
        $("#state").focus();
      },
    },
  );
}

export function start() {
  $("#harassment").addEventListener("click", report);
}
