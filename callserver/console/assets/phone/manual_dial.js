// Ringing by hand: a number that she types, or her last call again. The gate is asked as for every other
// dial, and its no is said here. What is typed is in its field only, and gone with the dialog.

import { post } from "../api.js";
import { $, onSubmit, show, toast } from "../dom.js";
import { t, when } from "../texts.js";
import { keepingFocus } from "./focus.js";
import { bind } from "./keys.js";
import { look, seat } from "./seat.js";

const number = $("#dial-number");
const [typing, redialing] = [$("#dial-dialog"), $("#redial-dialog")];
const BY_HAND = ["manual", "redial"];
const SOON = ["", "call_rate"]; // a seat that waits so rings the next one in a moment
let last = null; // my last call
let rung = null; // the attempt that was rung by hand: what came of it is told

// As the engine allows it; but a breather is left in peace.
const idle = { paused: ["breather"], waiting: SOON };
const mayDial = (at) => !at.outcome_owed && at.state in idle && !idle[at.state].includes(at.reason);

// Whoever was not reached, or was cut off.
const mayRedial = (at) =>
  mayDial(at) && last?.campaign === at.campaign && (!last.answered || last.does === "retry");

export function draws(at) {
  show($("#dial"), mayDial(at));
  show($("#redial"), mayRedial(at));
  if (BY_HAND.includes(at.call?.path)) rung = at.call.attempt;
  if (!at.call && at.state !== "off") return;
  typing.close();
  redialing.close();
}

export function takes(found) {
  last = found;
  keepingFocus(() => draws(seat));
  if (!last || last.attempt !== rung) return;
  rung = null;
  if (!last.answered) toast(ofLast());
}

const ofLast = () => t("phone.redial.of", { who: last.who, when: when(last.at), result: last.result });

// Why not; and when, where the rules know it.
function said(problem) {
  return problem.nextAt
    ? `${problem.message} ${t("phone.dial.earliest", { when: when(problem.nextAt) })}`
    : problem.message;
}

// What was typed wrongly is an error; a no of the rules is none.
async function ring(dialog, path, body) {
  try {
    await post(path, body);
  } catch (problem) {
    const no = problem.reasons.length > 0;
    $(".wrong", dialog).classList.toggle("no", no);
    number.setAttribute("aria-invalid", String(!no && problem.status !== 0));
    throw new Error(said(problem));
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
    button.focus(); // a key has pressed it: it is where one comes back to
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
  onSubmit($("#dial-form"), (written) => ring(typing, "/dial", written));
  onSubmit($("#redial-form"), () => ring(redialing, "/redial"));
  typing.addEventListener("close", forget);
  window.addEventListener("pagehide", forget);
  bind("n", $("#dial"));
  bind("g", $("#redial"));
}
