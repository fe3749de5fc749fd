// Who has listened to me, and what was thought of it; and that somebody on the line wants no listener.
// Whether a phoner sees it while it lasts is the house's policy: the server tells no more than it allows.

import { get, post } from "../api.js";
import { $, el, onSubmit, show, toast } from "../dom.js";
import { t, time, timeSeconds, when } from "../texts.js";
import { seat } from "./seat.js";

const SHOWN = 10;
const UNFOLDED = 8; // a listening of a whole evening is unfolded by hand
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

// Every time in which somebody was on the line, and how: what lasted less than a second is said to.
function interval(one) {
  const mode = t(`phone.listened.${one.mode}`);
  const [from, to] = [timeSeconds(one.since), one.until && timeSeconds(one.until)];
  if (!one.until) return t("phone.heard.interval_open", { mode, from });
  const brief = new Date(one.until) - new Date(one.since) < 1000;
  return t(brief ? "phone.heard.interval_brief" : "phone.heard.interval", { mode, from, to });
}

function listening(one) {
  const values = { by: one.by, from: when(one.since), to: one.until && time(one.until) };
  const fresh = one.told_at ? null : el("span", { class: "badge" }, t("phone.heard.new"));
  const said = el("summary", {}, t(one.until ? "phone.heard.was" : "phone.heard.open", values), fresh);
  const stays = el("ul", {}, ...one.intervals.map((stay) => el("li", {}, interval(stay))));
  return el("li", {}, el("details", { open: one.intervals.length <= UNFOLDED }, said, stays));
}

function form(one) {
  const said = FIGURES.map((name) => `${t(`phone.heard.${name}`)} ${one[name]}`).join(", ");
  return el(
    "li",
    {},
    t("phone.heard.form", { by: one.by, at: when(one.at), said }),
    one.words ? el("q", {}, one.words) : null,
  );
}

function draw() {
  const { listenings, forms } = heard;
  const nobody = el("p", { class: "soft" }, t("phone.heard.nobody"));
  $("#heard-by").replaceChildren(
    listenings.length ? el("ul", { class: "plain" }, ...listenings.slice(0, SHOWN).map(listening)) : nobody,
    ...(forms.length
      ? [
          el("h3", {}, t("phone.heard.forms")),
          el("ul", { class: "plain" }, ...forms.slice(0, SHOWN).map(form)),
        ]
      : []),
  );
  const now = listenings.flatMap((one) =>
    one.intervals.filter((stay) => !stay.until).map((stay) => ({ ...stay, by: one.by })),
  );
  show($("#heard-now"), now.length > 0);
  $("#heard-now").textContent = now
    .map((one) =>
      t("phone.heard.is", { by: one.by, mode: t(`phone.listened.${one.mode}`), from: when(one.since) }),
    )
    .join(" ");
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
