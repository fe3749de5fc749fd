// The start of a shift: campaign and telephone. Also used to change the campaign in a pause.

import { get, post } from "../api.js";
import { $, $$, el, oneAtATime, onSubmit, show, toast } from "../dom.js";
import { label, t } from "../texts.js";
import { why } from "./reasons.js";
import { act, seat } from "./seat.js";
import { hush } from "./sound_check.js";

let missing = ""; // what the browser telephone lacks here; "": nothing

function choice(name, value, title, words, attributes = {}) {
  return el(
    "label",
    { class: "choice" },
    el("input", { type: "radio", name, value, required: true, ...attributes }),
    el(
      "span",
      {},
      el("strong", {}, title),
      ...words.map((sentence) => el("span", { class: "soft" }, sentence)),
    ),
  );
}

function campaignChoice(campaign, chosen) {
  const state = campaign.reason
    ? campaign.said
      ? t("phone.shift.paused_said", { why: campaign.said })
      : why(campaign.reason, campaign.until)
    : t("phone.shift.open");
  const radio = choice("campaign", campaign.name, label(campaign.title), [label(campaign.why)], {
    checked: campaign.name === chosen,
  });
  radio.lastChild.append(el("span", { class: `badge ${campaign.reason ? "warn" : "good"}` }, state));
  return radio;
}

// The account's own telephones; one that cannot be called says why.
function lineChoices(lines) {
  const chosen = localStorage.getItem("line") ?? lines.findLast((line) => !line.problem)?.kind;
  return lines.map((line) => {
    const absent = line.kind === "browser" && missing;
    const words = [];
    if (line.kind !== "browser") words.push(t("phone.shift.remembered", { line: line.shown }));
    if (absent) words.push(t(`softphone.state.${missing === "bundle" ? "bundle" : "missing"}`));
    if (line.problem) words.push(t(`error.${line.problem}`));
    const cannot = Boolean(absent || line.problem);
    return choice("line", line.kind, t(`phone.shift.${line.kind}`), words, {
      "data-line": line.line,
      disabled: cannot,
      checked: line.kind === chosen && !cannot,
    });
  });
}

// Confirms a number: a call speaks a code, which the phoner types here. No form, because it is inside one.
function confirmation() {
  const code = el("input", { inputmode: "numeric", autocomplete: "one-time-code", maxlength: "20" });
  const wrong = el("p", { class: "wrong", role: "alert", hidden: true });
  const button = (key, work) => {
    const element = el("button", { type: "button" }, t(key));
    element.addEventListener(
      "click",
      oneAtATime(element, async () => {
        show(wrong, false);
        try {
          await work();
        } catch (error) {
          wrong.textContent = error.message;
          show(wrong);
        }
      }),
    );
    return element;
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

// `lacks`: what the browser telephone lacks; `focus`: the choice replaces what may have had the focus.
export async function open(lacks = missing, focus = true) {
  missing = lacks;
  const { campaigns, lines } = await get("/shift");
  if (!["off", "paused"].includes(seat.state)) return; // the phoner has pressed Ready meanwhile
  const chosen = seat.campaign ?? (campaigns.length === 1 ? campaigns[0].name : null);
  $("#campaigns").replaceChildren(...campaigns.map((campaign) => campaignChoice(campaign, chosen)));
  if (!campaigns.length) $("#campaigns").append(el("p", {}, t("phone.shift.none")));
  $("#lines").replaceChildren(...lineChoices(lines));
  if (lines.some((line) => line.problem === "line_unconfirmed")) $("#lines").append(confirmation());
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

// The sound check is shown only if the browser is the telephone.
function fitSound() {
  const line = seat.state === "off" ? $("[name=line]:checked")?.value : seat.line;
  show($("#sound"), line !== "telephone");
  if (line === "telephone") hush();
}

// `before(line)` prepares the telephone before the shift begins.
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
