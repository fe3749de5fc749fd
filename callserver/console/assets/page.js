// What every page does: sign out, language, unexpected errors said aloud.

import { post } from "./api.js";
import { $, toast } from "./dom.js";

$("#sign-out")?.addEventListener("click", async () => {
  await post("/sign-out");
  location.assign("/sign-in");
});

$("#language")?.addEventListener("click", async (event) => {
  if (!$("#sign-out")) return; // nobody is signed in: the link itself remembers it in this browser
  event.preventDefault();
  await post("/me/language", { language: event.currentTarget.dataset.language });
  location.reload();
});

window.addEventListener("unhandledrejection", (event) => {
  if (event.reason?.name !== "AbortError") toast(event.reason?.message ?? String(event.reason), "bad");
});
