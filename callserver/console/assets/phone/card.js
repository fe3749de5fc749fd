// The contact card of the current call: the person, what may be asked, the script and answers to questions.
// It is fetched once for each call, because every opening is logged.

import { post } from "../api.js";
import { $, el, show } from "../dom.js";
import { date, label, list, pieces, t, when, whenShort } from "../texts.js";
import { bind } from "./keys.js";
import * as privacyNotice from "./privacy_notice.js";

const AGAIN_MS = 2000;

let attempt = null;
let card = null;
let number = null;
let ended = null;

const pair = (name, value) => (value ? [el("dt", {}, t(name)), el("dd", {}, value)] : []);

// Danish numbers in pairs of digits.
const spaced = (text) => text.replace(/^(\+45)(\d\d)(\d\d)(\d\d)(\d\d)$/, "$1 $2 $3 $4 $5");

function name() {
  return el(
    "div",
    {},
    el("p", { class: "who-name" }, card.name ?? t("phone.card.no_name")),
    card.promised && el("p", { class: "note" }, promise(card.promised)),
  );
}

function facts() {
  number = el("dd", { class: "number private" }, spaced(card.number));
  return el(
    "div",
    {},
    el(
      "p",
      { class: "row" },
      el("span", { class: "badge" }, t(`phone.segment.${card.segment}`)),
      el("span", { class: "soft" }, t(`path.${card.path}`)),
    ),
    el(
      "dl",
      { class: "pairs" },
      ...pair("phone.card.why", label(card.why)),
      el("dt", {}, t("phone.card.number")),
      number,
      ...pair("phone.card.source", card.source ?? t("phone.card.source_unknown")),
      ...pair("phone.card.context", card.context && label(card.context)),
      ...pair("phone.card.last_gift", card.last_gift && date(card.last_gift)),
      ...pair("phone.card.ended", card.ended && date(card.ended)),
      ...pair("phone.card.left", card.left_at && date(card.left_at)),
      ...pair("phone.card.left_why", card.left_why),
      ...Object.entries(card.facts).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]),
    ),
  );
}

function promise({ at, mine, note }) {
  const text = at ? t(mine ? "phone.card.promised_mine" : "phone.card.promised", { when: when(at) }) : "";
  return note ? t("phone.card.with_note", { promise: text, note }).trim() : text;
}

// What may be asked; once asking has ended, that it has, and why.
function asking() {
  if (ended)
    return el(
      "div",
      { class: "ask over", role: "status" },
      el("p", {}, el("strong", {}, t(`phone.ended.${ended}`))),
      el("p", {}, t("phone.ask.wishes")),
    );
  const mayNot = card.may_not.map(({ topic, why }) =>
    el(
      "li",
      {},
      t("phone.ask.may_not_because", { topic: t(`phone.topic.${topic}`), why: t(`phone.why_not.${why}`) }),
    ),
  );
  return el(
    "div",
    { class: "ask" },
    card.may.length
      ? el(
          "p",
          {},
          ...pieces("phone.ask.may", {
            topics: el("strong", {}, list(card.may.map((topic) => t(`phone.topic.${topic}`)))),
          }),
        )
      : el("p", {}, t("phone.ask.nothing")),
    el("p", {}, t("phone.ask.wishes")),
    el("details", {}, el("summary", {}, t("phone.ask.may_not")), el("ul", {}, ...mayNot)),
  );
}

function earlier() {
  const rows = card.earlier.map((call) => {
    const result = call.outcome ? label(call.outcome) : call.cause ? t(`cause.${call.cause}`) : "";
    return el(
      "li",
      {},
      el("span", { class: "number" }, whenShort(call.at)),
      " ",
      result,
      call.campaign ? el("span", { class: "soft" }, ` ${label(call.campaign)}`) : null,
    );
  });
  return el(
    "div",
    {},
    el("h3", {}, t("phone.card.earlier")),
    rows.length ? el("ul", { class: "plain" }, ...rows) : el("p", { class: "soft" }, t("phone.card.first")),
  );
}

function draw() {
  $("#card-body").replaceChildren(name(), asking(), facts(), earlier());
  $("#script-body").innerHTML = card.script; // rendered by the server; values are escaped there
  $("#questions").replaceChildren(
    ...card.questions.map(({ question, answer }) =>
      el("details", {}, el("summary", {}, question), el("p", {}, answer)),
    ),
  );
  privacyNotice.offers(card);
}

// Nothing of a person stays on the page.
function empty() {
  for (const part of ["#card-body", "#script-body", "#questions"]) $(part).replaceChildren();
  privacyNotice.offers(null);
}

function loading() {
  empty();
  $("#card-body").append(el("p", { class: "soft" }, t("phone.card.loading")));
  fetchCard();
}

async function fetchCard() {
  const wanted = attempt;
  try {
    const fetched = await post("/card");
    if (wanted !== attempt || fetched.attempt !== attempt) return;
    card = fetched;
    draw();
  } catch (error) {
    if (wanted !== attempt) return;
    const again = el("button", { type: "button", onclick: loading }, t("phone.card.again"));
    const isPassing = error.status === 0 || error.status >= 500;
    const failed = t("phone.card.failed", { why: error.message });
    if ($("#card-body .wrong")?.textContent !== failed)
      $("#card-body").replaceChildren(el("p", { class: "wrong", role: "alert" }, failed), again);
    // Nobody talks without the card: the phoner need not ask for it.
    if (isPassing) setTimeout(() => wanted === attempt && !card && fetchCard(), AGAIN_MS);
  }
}

export function draws(seat) {
  const call = seat.call;
  show($("#call"), Boolean(call));
  if (!call) {
    attempt = card = number = ended = null;
    return empty();
  }
  const over = call.ask_ended;
  if (call.attempt !== attempt) {
    [attempt, ended] = [call.attempt, over];
    card = number = null; // of the call before
    loading();
  } else if (card && over !== ended) {
    ended = over;
    $(".ask").replaceWith(asking());
  }
  ended = over;
  if (number && call.ended_at) number.textContent = call.number; // masked after the call
}

export function start() {
  $("#script").open = localStorage.getItem("script") !== "closed";
  $("#script").addEventListener("toggle", () => {
    localStorage.setItem("script", $("#script").open ? "open" : "closed");
  });
  const script = $("#script summary");
  script.dataset.words = t("phone.do.script");
  bind("s", script);
  const questions = $("#questions-title");
  questions.dataset.words = t("phone.do.questions");
  questions.addEventListener("click", () => ($("#questions summary") ?? questions).focus());
  bind("q", questions);
}
