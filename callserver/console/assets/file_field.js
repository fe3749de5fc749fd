// File fields with a button and words in the page's language: the browser's own use the browser's language. The
// field itself lies over them, invisible: clicks, keys and dropped files work as everywhere.

import { $$, el } from "./dom.js";
import { t } from "./texts.js";

function prepare(input) {
  const name = el("span", { class: "soft" });
  const picked = el(
    "span",
    { class: "picked" },
    el("span", { class: "button" }, t("page.choose_file")),
    " ",
    name,
  );
  const show = () => {
    name.textContent = input.files[0]?.name ?? t("page.no_file");
  };
  input.after(picked);
  input.closest("label").classList.add("file");
  input.addEventListener("change", show);
  input.form.addEventListener("reset", () => setTimeout(show)); // the files are gone after the event
  show();
}

$$("input[type=file]").forEach(prepare);
