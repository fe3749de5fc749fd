// What is wrong with a form before it is sent, in the page's language: the browser's own messages use
// the browser's language. Fields keep their HTML attributes (required, pattern, min, …), which say what is right.

import { t } from "./texts.js";

// What the field is called: the text of its label, or of its group for one of several choices.
export function nameOf(field) {
  const legend = field.type === "radio" && field.closest("fieldset")?.querySelector("legend");
  const label = legend || field.labels?.[0];
  if (!label) return field.getAttribute("aria-label") ?? "";
  const texts = [...label.childNodes].filter(
    (node) => !node.contains(field) && !node.classList?.contains("picked"),
  );
  return texts
    .map((node) => node.textContent)
    .join(" ")
    .trim();
}

function sentence(field) {
  const { validity, min, max, minLength, type, dataset } = field;
  const name = nameOf(field);
  if (validity.customError) return field.validationMessage;
  if (validity.valueMissing) {
    if (type === "file") return t("page.invalid.no_file");
    const isChoice = type === "select-one" || type === "radio";
    return t(isChoice ? "page.invalid.not_chosen" : "page.invalid.empty", { field: name });
  }
  if (validity.tooShort) return t("page.invalid.too_short", { field: name, min: minLength });
  if (validity.rangeUnderflow || validity.rangeOverflow)
    return t("page.invalid.range", { field: name, min, max });
  if (validity.badInput || validity.stepMismatch) return t("page.invalid.number", { field: name });
  return dataset.wrong ?? t("page.invalid.pattern", { field: name });
}

// The first field that is not right: { field, text }; null if all are.
export function firstInvalid(form) {
  for (const field of form.elements) field.removeAttribute("aria-invalid");
  const field = [...form.elements].find((element) => element.willValidate && !element.validity.valid);
  if (!field) return null;
  field.setAttribute("aria-invalid", "true");
  return { field, text: sentence(field) };
}
