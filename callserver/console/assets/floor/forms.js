// A listener's feedback form: three ratings and a comment. No sales figures.

import { post } from "../api.js";
import { ask, field } from "../dialog.js";
import { el, toast } from "../dom.js";
import { dateTime, t } from "../texts.js";
import { known, refreshDetails } from "./store.js";

const RATINGS = ["respectful", "serious", "positive"];

function scale(name) {
  return el(
    "fieldset",
    { class: "scale" },
    el("legend", {}, t(`floor.form_${name}`)),
    el(
      "div",
      { class: "row" },
      ...[1, 2, 3, 4, 5].map((value) =>
        el(
          "label",
          { class: "inline" },
          el("input", { type: "radio", name, value: String(value), required: true }),
          String(value),
        ),
      ),
    ),
  );
}

export function formDialog(call, which) {
  ask(
    t("floor.form_title", { call: which }),
    [
      el(
        "p",
        { class: "soft" },
        t("floor.form_read", { name: known.details.seat.name }),
        " ",
        t("floor.form_scale"),
      ),
      ...RATINGS.map(scale),
      field("words", t("floor.form_words"), el("textarea", { maxlength: "2000" })),
    ],
    {
      keeps: `listening.form.${call.attempt}`,
      does: async (values) => {
        const ratings = Object.fromEntries(RATINGS.map((name) => [name, Number(values[name])]));
        await post(`/calls/${call.attempt}/form`, { ...ratings, words: values.words });
        toast(t("floor.form_saved"), "good");
        await refreshDetails();
      },
    },
  );
}

export function forms() {
  const { forms: received } = known.details;
  if (!received.length) return el("p", { class: "soft" }, t("floor.no_forms"));
  return el(
    "ul",
    { class: "forms" },
    ...received.map((form) =>
      el(
        "li",
        {},
        el("p", { class: "soft" }, t("floor.form_by", { by: form.by, when: dateTime(form.at) })),
        el(
          "dl",
          { class: "pairs" },
          ...RATINGS.flatMap((name) => [
            el("dt", {}, t(`floor.form_${name}`)),
            el("dd", { class: "number" }, t("floor.form_value", { value: form[name] })),
          ]),
        ),
        form.words && el("p", {}, form.words),
        form.comment &&
          el("p", { class: "soft" }, t("floor.form_comment", { when: dateTime(form.commented_at) })),
        form.comment && el("p", {}, form.comment),
      ),
    ),
  );
}
