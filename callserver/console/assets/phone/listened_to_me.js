// Who has listened to the phoner, the feedback forms, and the person's wish that nobody listens. Whether a
// listening is shown while it lasts is a policy: the server sends only what it allows.

import { get, post } from "../api.js";
import { ask, field } from "../dialog.js";
import { $, el, onSubmit, show, toast } from "../dom.js";
import { t, time, timeSeconds, when } from "../texts.js";
import { seat } from "./seat.js";

const SHOWN = 10;
const UNFOLDED = 8; // a listening with more intervals is unfolded by hand

let received = { listenings: [], forms: [] };

export async function look() {
  take(await get("/listened-to-me"));
}

export function take(data) {
  received = data;
  draw();
  seen();
}

// In a pause the phoner has the list before them: new listenings count as seen.
export async function seen() {
  const fresh = received.listenings
    .filter((session) => !session.told_at && session.until)
    .map((session) => session.id);
  const before = ["paused", "off"].includes(seat.state) && !$("#rest").hidden && !document.hidden;
  if (fresh.length && before) await post("/listened-to-me", { listenings: fresh });
}

// One interval of listening; below a second, the text says that it was brief.
function interval(stay) {
  const [from, to] = [timeSeconds(stay.since), stay.until && timeSeconds(stay.until)];
  if (!stay.until) return t(`phone.listened.interval_open.${stay.mode}`, { from });
  const isBrief = new Date(stay.until) - new Date(stay.since) < 1000;
  return t(`phone.listened.${isBrief ? "interval_brief" : "interval"}.${stay.mode}`, { from, to });
}

function listening(session) {
  const values = { by: session.by, from: when(session.since), to: session.until && time(session.until) };
  const fresh = session.told_at ? null : el("span", { class: "badge" }, t("phone.listened.new"));
  const summary = el(
    "summary",
    {},
    t(session.until ? "phone.listened.was" : "phone.listened.open", values),
    fresh,
  );
  const stays = el("ul", {}, ...session.intervals.map((stay) => el("li", {}, interval(stay))));
  return el("li", {}, el("details", { open: session.intervals.length <= UNFOLDED }, summary, stays));
}

function form(feedback) {
  return el(
    "li",
    {},
    t("phone.listened.form", { ...feedback, at: when(feedback.at) }),
    feedback.words ? el("q", { class: "block" }, feedback.words) : null,
    feedback.comment
      ? el(
          "p",
          {},
          t("phone.listened.comment_yours", { at: when(feedback.commented_at) }),
          el("q", { class: "block" }, feedback.comment),
        )
      : null,
    el(
      "button",
      {
        type: "button",
        class: "quiet small",
        "data-key": `comment-${feedback.id}`,
        onclick: () => comment(feedback),
      },
      t(feedback.comment ? "phone.listened.comment_change" : "phone.listened.comment"),
    ),
  );
}

function comment(feedback) {
  const words = el("textarea", { maxlength: "2000" });
  words.value = feedback.comment;
  ask(
    t("phone.listened.comment_title"),
    [
      el("p", { class: "soft" }, t("phone.listened.comment_read")),
      field("comment", t("phone.listened.comment_words"), words),
    ],
    {
      keeps: `listening.comment.${feedback.id}`,
      does: async (values) => {
        take(await post(`/forms/${feedback.id}/comment`, values));
        toast(t("phone.listened.comment_saved"), "good");
      },
    },
  );
}

function draw() {
  const { listenings, forms } = received;
  const nobody = el("p", { class: "soft" }, t("phone.listened.nobody"));
  $("#listened-to-me").replaceChildren(
    listenings.length ? el("ul", { class: "plain" }, ...listenings.slice(0, SHOWN).map(listening)) : nobody,
    ...(forms.length
      ? [
          el("h3", {}, t("phone.listened.forms")),
          el("ul", { class: "plain" }, ...forms.slice(0, SHOWN).map(form)),
        ]
      : []),
  );
  const now = listenings.flatMap((session) =>
    session.intervals.filter((stay) => !stay.until).map((stay) => ({ ...stay, by: session.by })),
  );
  show($("#listeners-now"), now.length > 0);
  $("#listeners-now").textContent = now
    .map((stay) => t(`phone.listened.now.${stay.mode}`, { by: stay.by, from: when(stay.since) }))
    .join(" ");
}

export function draws(at) {
  show($("#no-listener"), at.state === "talking");
}

export function start() {
  onSubmit($("#no-listener"), async () => {
    await post("/no-listener", { attempt: seat.call?.attempt ?? null });
    toast(t("phone.listened.none_now"), "good");
  });
}
