// The dialog that shows a secret once: a new account's password, a token.

import { el, toast } from "./dom.js";
import { t } from "./texts.js";

const value = el("code", { id: "secret-value" });
const text = el("p", { id: "secret-text" });
const copy = el("button", { type: "button", id: "copy" }, t("accounts.copy"));
const seen = el("button", { type: "button", class: "main close" }, t("accounts.seen"));
const dialog = el(
  "dialog",
  { id: "secret", closedby: "none", "aria-labelledby": "secret-title" },
  el("h2", { id: "secret-title" }, t("accounts.secret_title")),
  text,
  el("p", { class: "secret" }, value),
  el("div", { class: "row" }, copy, seen),
);
document.body.append(dialog);

// Esc does not close it, as the secret cannot be shown again.
dialog.addEventListener("cancel", (event) => event.preventDefault());
dialog.addEventListener("keydown", (event) => event.key === "Escape" && event.preventDefault());
dialog.addEventListener("close", () => (value.textContent = ""));
seen.addEventListener("click", () => dialog.close());
copy.addEventListener("click", async () => {
  await navigator.clipboard.writeText(value.textContent);
  toast(t("accounts.copied"), "good");
});

export function showSecret(secret, words) {
  value.textContent = secret;
  text.textContent = words;
  dialog.showModal();
}
