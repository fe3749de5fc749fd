// A form whose text may hold a telephone number: the server asks, and the user confirms that it does not.

import { $, el, onSubmit, show } from "../dom.js";
import { t } from "../texts.js";

export const confirmation = () =>
  el(
    "p",
    { class: "confirm", hidden: true },
    el(
      "label",
      { class: "inline" },
      el("input", { type: "checkbox", name: "has_no_number" }),
      t("notices.has_no_number"),
    ),
  );

// `work` gets the form's values, `has_no_number` among them.
export function onConfirmedSubmit(form, work) {
  onSubmit(form, async (values) => {
    const box = $(".confirm", form);
    try {
      await work({ ...values, has_no_number: form.has_no_number.checked });
    } catch (error) {
      if (error.confirm === "has_no_number") show(box);
      throw error;
    }
    form.has_no_number.checked = false;
    show(box, false);
  });
}
