// Who has listened to me, and what was thought of it; and that somebody on the line wants no listener.
// Whether a phoner sees it while it lasts is the house's policy: the server tells no more than it allows.

import { get, post } from "../api.js";
import { $, el, onSubmit, show, toast } from "../dom.js";
import { t, time, when } from "../texts.js";
import { seat } from "./acts.js";

const SHOWN = 10;
const FIGURES = ["respectful", "serious", "positive"];

let heard = { listenings: [], forms: [] };

export async function look() {
  take(await get("/heard"));
}

export function take(found) {
  heard = found;
  draw();
  seen();
}

// What stands before her eyes in a pause has been seen.
export async function seen() {
  const fresh = heard.listenings.filter((one) => !one.told_at && one.until).map((one) => one.id);
  const before = ["paused", "off"].includes(seat.state) && !$("#rest").hidden && !document.hidden;
  if (fresh.length && before) await post("/heard", { listenings: fresh });
}

function listening(one) {
  const values = { by: one.by, mode: t(`phone.listened.${one.mode}`), from: when(one.since), to: one.until && time(one.until) };
  return el(
    "li",
    {},
    t(one.until ? "phone.heard.was" : "phone.heard.is", values),
    one.told_at ? null : el("span", { class: "badge" }, t("phone.heard.new")),
  );
}

function form(one) {
  const said = FIGURES.map((name) => `${t(`phone.heard.${name}`)} ${one[name]}`).join(", ");
  return el("li", {}, t("phone.heard.form", { by: one.by, at: when(one.at), said }), one.words ? el("q", {}, one.words) : null);
}

function draw() {
  const { listenings, forms } = heard;
  const nobody = el("p", { class: "soft" }, t("phone.heard.nobody"));
  $("#heard-by").replaceChildren(
    listenings.length ? el("ul", { class: "plain" }, ...listenings.slice(0, SHOWN).map(listening)) : nobody,
    ...(forms.length ? [el("h3", {}, t("phone.heard.forms")), el("ul", { class: "plain" }, ...forms.slice(0, SHOWN).map(form))] : []),
  );
  const now = listenings.filter((one) => !one.until);
  show($("#heard-now"), now.length > 0);
  $("#heard-now").textContent = now.map((one) => t("phone.heard.is", { by: one.by, mode: t(`phone.listened.${one.mode}`), from: when(one.since) })).join(" ");
}

export function draws(at) {
  show($("#no-listener"), at.state === "talking");
}

export function start() {
  onSubmit($("#no-listener"), async () => {
    await post("/no-listener");
    toast(t("phone.heard.none_now"), "good");
  });
}
