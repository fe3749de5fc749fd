// Before the shift: campaign, telephone. Also changes the campaign from a pause.

import { get, post } from "../api.js";
import { $, $$, el, oneAtATime, onSubmit, show, toast } from "../dom.js";
import { label, t } from "../texts.js";
import { why } from "./reasons.js";
import { act, seat } from "./seat.js";
import { hush } from "./sound_check.js";

let missing = ""; // why the browser can be no telephone here

function choice(name, value, title, words, attributes = {}) {
  return el(
    "label",
    { class: "choice" },
    el("input", { type: "radio", name, value, required: true, ...attributes }),
    el("span", {}, el("strong", {}, title), ...words.map((one) => el("span", { class: "soft" }, one))),
  );
}

function campaignChoice(one, chosen) {
  const state = one.reason
    ? one.said
      ? t("phone.shift.paused_said", { why: one.said })
      : why(one.reason, one.until)
    : t("phone.shift.open");
  const made = choice("campaign", one.name, label(one.title), [label(one.why)], {
    checked: one.name === chosen,
  });
  made.lastChild.append(el("span", { class: `badge ${one.reason ? "warn" : "good"}` }, state));
  return made;
}

// Only the account's own telephones; what cannot be rung says why.
function lineChoices(lines) {
  const chosen = localStorage.getItem("line") ?? lines.findLast((one) => !one.problem)?.kind;
  return lines.map((one) => {
    const absent = one.kind === "browser" && missing; // what the browser's telephone lacks here
    const words = [];
    if (one.kind !== "browser") words.push(t("phone.shift.remembered", { line: one.shown }));
    if (absent) words.push(t(`softphone.state.${missing === "bundle" ? "bundle" : "missing"}`));
    if (one.problem) words.push(t(`error.${one.problem}`));
    const cannot = Boolean(absent || one.problem);
    return choice("line", one.kind, t(`phone.shift.${one.kind}`), words, {
      "data-line": one.line,
      disabled: cannot,
      checked: one.kind === chosen && !cannot,
    });
  });
}

// A number that is not confirmed: a call says a code, which is typed here. No form: it stands in one.
function confirmation() {
  const code = el("input", { inputmode: "numeric", autocomplete: "one-time-code", maxlength: "20" });
  const wrong = el("p", { class: "wrong", role: "alert", hidden: true });
  const button = (key, work) => {
    const made = el("button", { type: "button" }, t(key));
    made.addEventListener(
      "click",
      oneAtATime(made, async () => {
        show(wrong, false);
        try {
          await work();
        } catch (error) {
          wrong.textContent = error.message;
          show(wrong);
        }
      }),
    );
    return made;
  };
  const call = button("phone.line.call", async () => {
    await post("/line/call");
    toast(t("phone.line.called"));
    code.focus();
  });
  const give = button("phone.line.give", async () => {
    await post("/line/code", { code: code.value.trim() });
    toast(t("phone.line.done"), "good");
    await open(missing, false);
  });
  return el(
    "div",
    { id: "confirm-line" },
    call,
    el("div", { class: "row" }, el("label", {}, t("phone.line.code"), code), give),
    wrong,
  );
}

// Show the choice; `lacks`: what the browser's telephone lacks in this house; `focus`: it is shown in
// place of something that had the focus.
export async function open(lacks = missing, focus = true) {
  missing = lacks;
  const { campaigns, lines } = await get("/shift");
  const chosen = seat.campaign ?? (campaigns.length === 1 ? campaigns[0].name : null);
  $("#campaigns").replaceChildren(...campaigns.map((one) => campaignChoice(one, chosen)));
  if (!campaigns.length) $("#campaigns").append(el("p", {}, t("phone.shift.none")));
  $("#lines").replaceChildren(...lineChoices(lines));
  if (lines.some((one) => one.problem === "line_unconfirmed")) $("#lines").append(confirmation());
  const again = seat.state !== "off";
  $("#shift-title").textContent = t(again ? "phone.do.campaign" : "phone.shift.title");
  $("#shift-form .main").textContent = t(again ? "phone.do.campaign" : "phone.shift.go");
  show($("#lines-set"), !again);
  fitSound();
  for (const input of $$("[name=line]")) input.required = !again;
  show($("#stay"), again);
  show($("#shift"));
  if (focus) $("#shift-title").focus();
}

export function close() {
  show($("#shift"), false);
  hush();
}

// The computer's sound matters where the computer is the telephone.
function fitSound() {
  const line = seat.state === "off" ? $("[name=line]:checked")?.value : seat.line;
  show($("#sound"), line !== "telephone");
  if (line === "telephone") hush();
}

// `before`: what has to be there before the shift begins, given its line.
export function start(before) {
  $("#lines").addEventListener("change", fitSound);
  $("#lines").addEventListener("click", fitSound);
  $("#stay").addEventListener("click", close);
  onSubmit($("#shift-form"), async ({ campaign }) => {
    if (!campaign) throw new Error(t("phone.shift.pick"));
    const radio = $("[name=line]:checked");
    const body = { campaign };
    if (seat.state === "off" && radio) {
      body.line = radio.dataset.line;
      localStorage.setItem("line", radio.value);
      await before(radio.value);
    }
    await act("/shift", body);
    close();
  });
}
