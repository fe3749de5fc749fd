// Sending the privacy notice to the person on the line, where the organisation has one.

import { post } from "../api.js";
import { ask, field } from "../dialog.js";
import { $, el, show, toast } from "../dom.js";
import { t } from "../texts.js";
import { hasAnsweredCall } from "./seat.js";

let attempt = null;
let answered = false;

const shows = () => show($("#privacy-notice"), answered && attempt !== null);

export function offers(card) {
  attempt = card?.privacy_notice ? card.attempt : null;
  shows();
}

export function draws(at) {
  answered = hasAnsweredCall(at);
  shows();
}

const choices = (name, keys) => keys.map((key) => el("option", { value: key }, t(`${name}.${key}`)));

function send() {
  const about = attempt; // the dialog may stay open after the call
  const address = el("input", { type: "email", maxlength: "254", autocomplete: "off", required: true });
  const email = field("email", t("phone.privacy_notice.email"), address);
  const way = el("select", {}, ...choices("phone.privacy_notice.by", ["sms", "email"]));
  const choose = () => {
    address.disabled = way.value !== "email"; // then it is neither checked nor sent
    show(email, !address.disabled);
  };
  way.addEventListener("change", choose);
  choose();
  ask(
    t("phone.privacy_notice.title"),
    [
      el("p", { class: "soft" }, t("phone.privacy_notice.text")),
      field("reply_by", t("phone.privacy_notice.how"), way),
      email,
      field(
        "language",
        t("phone.privacy_notice.language"),
        el("select", {}, ...choices("cases.language", ["da", "en"])),
      ),
    ],
    {
      go: t("phone.privacy_notice.go"),
      does: async (values) => {
        await post("/privacy-notice", { ...values, attempt: about });
        toast(t("phone.privacy_notice.done"), "good");
      },
    },
  );
}

export function start() {
  $("#privacy-notice").addEventListener("click", send);
}
