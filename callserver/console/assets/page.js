// On every page: the navigation's menus, signing out, the language, and a message for unexpected errors.

import { isStaying, post } from "./api.js";
import { $, toast } from "./dom.js";
import { kept } from "./kept.js";
import { number, t } from "./texts.js";
import { nameOf } from "./validity.js";

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

// The first click of a double click may have moved the page: the second one presses nothing else than the first.
const pressed = { button: null };
document.addEventListener(
  "click",
  (event) => {
    const { target, detail } = event;
    const button = target.closest("label")?.control ?? target.closest("a, button, input, select, summary");
    if (detail < 2) pressed.button = button;
    if (button === pressed.button) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  },
  true,
);

// The browser cuts what is pasted into a field that is too short for it, and says nothing.
document.addEventListener("beforeinput", ({ target, inputType, data, dataTransfer }) => {
  if (!["insertFromPaste", "insertFromDrop"].includes(inputType) || !(target.maxLength >= 0)) return;
  const text = (data ?? dataTransfer?.getData("text") ?? "").replaceAll("\r\n", "\n");
  const stays = target.value.length - (target.selectionEnd - target.selectionStart);
  if (stays + text.length <= target.maxLength) return;
  toast(t("page.cut", { field: nameOf(target), max: number(target.maxLength) }), "bad");
});

// A page that the browser has kept is out of date, its stream is closed, and its user may have signed out.
window.addEventListener("pageshow", ({ persisted }) => {
  if (persisted) location.reload();
});
