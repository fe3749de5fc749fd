// The organisation's values, one sentence at a time, while the phoner waits or pauses. They can be hidden.

import { library } from "../books/library.js";
import { $, show } from "../dom.js";
import { t } from "../texts.js";

const EACH_MS = 20_000;
let sentences = [];
let at = Math.floor(Math.random() * 100);

function turn() {
  if (!sentences.length || $("#value").hidden) return;
  at = (at + 1) % sentences.length;
  $("#value").textContent = sentences[at];
  $("#value").classList.remove("fresh");
  void $("#value").offsetWidth; // restarts the animation
  $("#value").classList.add("fresh");
}

export function draws(seat) {
  show($("#values"), sentences.length > 0 && ["waiting", "paused"].includes(seat.state) && !seat.call);
}

function fold() {
  const hidden = localStorage.getItem("values") === "hidden";
  show($("#value"), !hidden);
  $("#values-hide").textContent = t(hidden ? "phone.values.show" : "phone.values.hide");
  $("#values-hide").setAttribute("aria-expanded", !hidden);
}

export async function look() {
  if (sentences.length) return;
  sentences = (await library()).values;
  turn();
}

export function start() {
  $("#values-hide").addEventListener("click", () => {
    localStorage.setItem("values", $("#value").hidden ? "shown" : "hidden");
    fold();
  });
  fold();
  setInterval(turn, EACH_MS);
}
