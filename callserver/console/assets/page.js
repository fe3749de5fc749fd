// On every page: the navigation's menus, signing out, the language, and a message for unexpected errors.

import { isStaying, post } from "./api.js";
import { $, toast } from "./dom.js";
import { kept } from "./kept.js";
import { t } from "./texts.js";

const openMenu = () => $(".top details[open]");

for (const type of ["click", "focusin"]) {
  document.addEventListener(type, (event) => {
    const menu = openMenu();
    if (menu && !menu.contains(event.target)) menu.open = false;
  });
}

$(".top nav")?.addEventListener("keydown", (event) => {
  const menu = openMenu();
  if (event.key !== "Escape" || !menu) return;
  menu.open = false;
  $("summary", menu).focus();
});

$("#sign-out")?.addEventListener("click", async () => {
  if (isStaying()) return toast(t("page.sign_out_later"), "bad"); // it would end the talk
  await post("/sign-out");
  kept.dropAll();
  location.assign("/sign-in");
});

$("#reload").addEventListener("click", () => location.reload());

$("#language")?.addEventListener("click", async (event) => {
  if (!$("#sign-out")) return; // nobody is signed in: following the link stores the language in this browser
  event.preventDefault();
  await post("/me/language", { language: event.currentTarget.dataset.language });
  location.reload();
});

window.addEventListener("unhandledrejection", (event) => {
  if (event.reason?.name !== "AbortError") toast(event.reason?.message ?? String(event.reason), "bad");
});

// A page that the browser has kept is out of date, its stream is closed, and its user may have signed out.
window.addEventListener("pageshow", ({ persisted }) => {
  if (persisted) location.reload();
});
