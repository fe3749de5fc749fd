// Before the shift: campaign, telephone. Also changes the campaign from a pause.

import { get } from "../api.js";
import { $, $$, el, onSubmit, show } from "../dom.js";
import { label, t } from "../texts.js";
import { act, seat } from "./acts.js";
import { hush } from "./audio.js";
import { why } from "./said.js";

const KINDS = ["browser", "sip", "telephone"];
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
  const made = choice("campaign", one.name, label(one.title), [label(one.why)], { checked: one.name === chosen });
  made.lastChild.append(el("span", { class: `badge ${one.reason ? "warn" : "good"}` }, state));
  return made;
}

function lineChoices(lines) {
  const chosen = localStorage.getItem("line") ?? lines.at(-1)?.kind;
  return KINDS.map((kind) => {
    const known = lines.find((one) => one.kind === kind);
    const cannot = kind === "browser" && Boolean(missing);
    const words = [];
    if (cannot) words.push(t(`softphone.state.${missing === "bundle" ? "bundle" : "missing"}`));
    else if (known && kind !== "browser") words.push(t("phone.shift.remembered", { line: known.shown }));
    const made = choice("line", kind, t(`phone.shift.${kind}`), words, {
      "data-line": known?.line,
      "data-known": Boolean(known),
      disabled: cannot,
      checked: kind === chosen && !cannot,
    });
    if (kind !== "browser") {
      const other = typed(kind);
      made.lastChild.append(known ? el("details", {}, el("summary", {}, t(`phone.shift.other_${kind}`)), other) : other);
    }
    return made;
  });
}

// Whoever writes another line means it; whoever only passes by with the Tab key has chosen nothing.
function typed(kind) {
  const hint = `${kind}-hint`;
  const meant = ({ target }) => ($("input[type=radio]", target.closest("label")).checked = true);
  return el(
    "span",
    { class: "typed" },
    el("input", {
      "data-typed": kind,
      type: kind === "sip" ? "text" : "tel",
      autocomplete: kind === "sip" ? "off" : "tel",
      "aria-label": t(`phone.shift.new_${kind}`),
      "aria-describedby": hint,
      onclick: meant,
      oninput: meant,
    }),
    el("span", { class: "soft", id: hint }, t(`phone.shift.new_${kind}_hint`)),
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
  $("#lines").addEventListener("input", fitSound);
  $("#stay").addEventListener("click", close);
  onSubmit($("#shift-form"), async ({ campaign }) => {
    if (!campaign) throw new Error(t("phone.shift.pick"));
    const radio = $("[name=line]:checked");
    const body = { campaign };
    if (seat.state === "off" && radio) {
      const other = $(`[data-typed=${radio.value}]`)?.value.trim();
      body.line = other || radio.dataset.line || null; // null: the one that is remembered
      if (!body.line && radio.dataset.known === undefined) {
        $(`[data-typed=${radio.value}]`).focus();
        throw new Error(t(`phone.shift.new_${radio.value}_hint`));
      }
      localStorage.setItem("line", radio.value);
      await before(radio.value);
    }
    await act("/shift", body);
    close();
  });
}
