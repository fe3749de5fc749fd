// Manual dials: a typed number, or the last call again. They pass the same gate as every dial, and its refusal
// is shown here. A typed number exists only in its field, and is cleared with the dialog.

import { post } from "../api.js";
import { $, onSubmit, show, toast } from "../dom.js";
import { t, when } from "../texts.js";
import { keepingFocus } from "./focus.js";
import { bind } from "./keys.js";
import { look, seat } from "./seat.js";

const number = $("#dial-number");
const [typing, redialing] = [$("#dial-dialog"), $("#redial-dialog")];
const BY_HAND = ["manual", "redial"];
const SOON = ["", "call_rate"]; // for these reasons the next dial comes within moments
let last = null; // the last call
let manualAttempt = null; // the last manual attempt, whose result is shown

// As the engine allows, except that a breather is not interrupted.
const idle = { paused: ["breather"], waiting: SOON };
const mayDial = (at) => !at.outcome_owed && at.state in idle && !idle[at.state].includes(at.reason);

// The person was not reached, or the call was cut off.
const mayRedial = (at) =>
  mayDial(at) && last?.campaign === at.campaign && (!last.answered || last.does === "retry");

export function draws(at) {
  show($("#dial"), mayDial(at));
  show($("#redial"), mayRedial(at));
  if (BY_HAND.includes(at.call?.path)) manualAttempt = at.call.attempt;
  if (!at.call && at.state !== "off") return;
  typing.close();
  redialing.close();
}

export function takes(call) {
  last = call;
  keepingFocus(() => draws(seat));
  if (!last || last.attempt !== manualAttempt) return;
  manualAttempt = null;
  if (!last.answered) toast(ofLast());
}

const ofLast = () => t("phone.redial.of", { who: last.who, when: when(last.at), result: last.result });

// The reason of a refusal, and the earliest time if the rules give one.
function refusalText(problem) {
  return problem.nextAt
    ? `${problem.message} ${t("phone.dial.earliest", { when: when(problem.nextAt) })}`
    : problem.message;
}

// Only a typing error marks the field as invalid; a refusal by the rules does not.
async function dial(dialog, path, body) {
  try {
    await post(path, body);
  } catch (problem) {
    const isRefusal = problem.reasons.length > 0;
    $(".wrong", dialog).classList.toggle("no", isRefusal);
    number.setAttribute("aria-invalid", String(!isRefusal && problem.status !== 0));
    throw new Error(refusalText(problem));
  }
  dialog.close();
  await look();
}

function forget() {
  number.value = "";
  number.removeAttribute("aria-invalid");
}

function opens(button, dialog, prepare) {
  button.addEventListener("click", () => {
    button.focus(); // a shortcut does not focus it, and the focus returns here
    const wrong = $(".wrong", dialog);
    wrong.textContent = "";
    show(wrong, false);
    prepare();
    dialog.showModal();
  });
}

export function start() {
  opens($("#dial"), typing, forget);
  opens($("#redial"), redialing, () => ($("#redial-of").textContent = ofLast()));
  onSubmit($("#dial-form"), (written) => dial(typing, "/dial", written));
  onSubmit($("#redial-form"), () => dial(redialing, "/redial"));
  typing.addEventListener("close", forget);
  window.addEventListener("pagehide", forget);
  bind("n", $("#dial"));
  bind("g", $("#redial"));
}
