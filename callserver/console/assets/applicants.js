// The applicants page: group interviews, applicants, and what is decided about them.

import { get, post } from "./api.js";
import { interviews, planning } from "./applicants/interviews.js";
import { adding, people } from "./applicants/people.js";
import { playing, prepare } from "./applicants/role_play.js";
import { $, $$, keepFocus, onPress } from "./dom.js";
import { follow } from "./live.js";
import { setClock, t } from "./texts.js";

let data;

// Sends a change and shows the page as it is afterwards.
async function act(path, body = {}) {
  draw(await post(path, body));
}

function draw(view) {
  data = view;
  setClock(view.now);
  playing(view.role_play);
  $("#hint").textContent = t("applicants.hint", { days: view.kept_days });
  const chosen = new Map($$("#interviews select").map((select) => [select.dataset.key, select.value]));
  keepFocus(() => {
    $("#interviews").replaceChildren(...interviews(view, act));
    $("#people").replaceChildren(people(view, $("#decided").checked, act, refresh));
  }, $("#people-title"));
  // Whom to invite stays who was shown; nobody, if they cannot be invited any more.
  for (const select of $$("#interviews select")) {
    if (chosen.has(select.dataset.key)) select.value = chosen.get(select.dataset.key);
  }
}

async function refresh() {
  draw(await get("/applicants"));
}

$("#decided").addEventListener("change", () => draw(data));
onPress($("#plan"), () => planning(data, act));
onPress($("#add"), () => adding(data, act));

prepare(refresh);
await follow(refresh, { applicants: draw });
for (const button of ["#plan", "#add"]) $(button).disabled = false; // they need the data
