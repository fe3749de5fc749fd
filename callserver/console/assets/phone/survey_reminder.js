// Reminds of the open survey between calls, until it is answered.

import { get } from "../api.js";
import { $, show } from "../dom.js";
import { lastDay } from "../survey/words.js";
import { t } from "../texts.js";

let closesAt = null; // of the survey that I may answer
let isInCall = false;

function draw() {
  if (closesAt) $("#survey-reminder span").textContent = t("survey.reminder", { day: lastDay(closesAt) });
  show($("#survey-reminder"), closesAt !== null && !isInCall);
}

export function draws(at) {
  isInCall = Boolean(at.call);
  draw();
}

export function take({ open }) {
  closesAt = open?.closes_at ?? null;
  draw();
}

export const look = async () => take(await get("/survey/open"));
