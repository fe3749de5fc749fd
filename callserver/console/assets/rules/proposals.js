// What waits for a second person, and what became of it.

import { post } from "../api.js";
import { $, el, oneAtATime, onSubmit, passFocus, show, toast } from "../dom.js";
import { dateTime, t } from "../texts.js";
import { looserList, proposalsDiff } from "./differences.js";
import { effectForm } from "./effect.js";

const BADGE = { open: "warn", active: "good", refused: "bad", withdrawn: "" };

function who(one) {
  const when = dateTime(one.at);
  return one.by === null
    ? t("rules.proposed_by_files", { when })
    : t("rules.proposed_by", { name: one.by, when });
}

function lazily(title, fill) {
  const body = el("div");
  const found = el("details", {}, el("summary", {}, title), body);
  found.addEventListener("toggle", async () => {
    if (found.open && !body.hasChildNodes()) body.replaceChildren(...(await fill()));
  });
  return found;
}

// The proposal is decided and gone from here: one goes on with the next, or with the rules.
const goOn = (had) => passFocus(had, $("#waiting:not([hidden]) h2") ?? $("#name"));

function openProposal(one, rights, titles, refresh) {
  const row = el("div", { class: "row" });
  const act = (work, said) =>
    oneAtATime(row, async () => {
      const had = document.activeElement;
      try {
        const made = await work();
        toast(t(said), "good");
        if (made?.written) toast(t(`rules.written.${made.written}`), made.written === "yes" ? "good" : "");
        await refresh();
      } catch (error) {
        await refresh(); // it may have moved along: what is shown is what can be approved
        toast(error.message, "bad");
      }
      goOn(had);
    });
  const base = `/rules/proposals/${one.id}`;
  const buttons = [];
  if (rights.approve && !one.mine) {
    const approve = () => post(`${base}/approve`, { revision: one.revision });
    buttons.push(
      el(
        "button",
        { type: "button", class: "main", onclick: act(approve, "rules.active") },
        t("rules.approve"),
      ),
    );
    buttons.push(
      el("button", { type: "button", onclick: () => show(refusal, refusal.hidden) }, t("rules.refuse")),
    );
  }
  if (rights.change && (one.mine || one.by === null)) {
    const withdraw = () => post(`${base}/withdraw`);
    buttons.push(
      el(
        "button",
        { type: "button", class: "quiet", onclick: act(withdraw, "rules.withdrawn_done") },
        t("rules.withdraw"),
      ),
    );
  }
  const refusal = el(
    "form",
    { hidden: true },
    el("label", {}, t("rules.refuse_why"), el("textarea", { name: "why", maxlength: 1000, required: true })),
    el("p", { class: "wrong", role: "alert", hidden: true }),
    el("button", { class: "bad" }, t("rules.refuse_go")),
  );
  onSubmit(refusal, async ({ why }) => {
    const had = document.activeElement;
    await post(`${base}/refuse`, { why });
    toast(t("rules.refused_done"));
    await refresh();
    goOn(had);
  });
  row.append(...buttons);
  const hint = one.mine ? t("rules.yours") : rights.approve ? null : t("rules.needs_leader");
  if (hint) row.append(el("span", { class: "soft" }, hint));
  return el(
    "article",
    { class: "card proposal", "data-id": one.id },
    el("p", {}, el("strong", {}, who(one)), " ", el("span", { class: "soft" }, one.changed.join(", "))),
    one.why ? el("p", {}, t("rules.proposed_why", { why: one.why })) : null,
    one.stale ? el("p", { class: "note" }, t("rules.stale")) : null,
    el("h3", {}, t("rules.looser_title")),
    looserList(one.looser),
    lazily(t("rules.diff"), () => proposalsDiff(one.id)),
    lazily(t("rules.effect"), async () => [effectForm(`${base}/effect`, () => ({}), titles)]),
    row,
    refusal,
  );
}

function decidedProposal(one) {
  return el(
    "div",
    { class: "decided" },
    el(
      "p",
      {},
      el("span", { class: `badge ${BADGE[one.state]}` }, t(`rules.state.${one.state}`)),
      " ",
      who(one),
      one.decided_by
        ? ` · ${t("rules.decided_by", { name: one.decided_by, when: dateTime(one.decided_at) })}`
        : null,
    ),
    one.why ? el("p", {}, t("rules.proposed_why", { why: one.why })) : null,
    one.answer ? el("p", {}, t("rules.answered", { answer: one.answer })) : null,
    lazily(`${t("rules.show_diff")}: ${one.changed.join(", ")}`, () => proposalsDiff(one.id)),
  );
}

// A proposal that is what it was stays as it is on the page: somebody may be writing in it.
const cards = new Map();

function card(one, ...more) {
  const said = JSON.stringify(one);
  if (cards.get(one.id)?.said !== said) {
    cards.set(one.id, { said, element: openProposal(one, ...more) });
  }
  return cards.get(one.id).element;
}

export function listProposals(found, rights, titles, refresh) {
  const waiting = found.filter((one) => one.state === "open");
  const decided = found.filter((one) => one.state !== "open");
  show($("#waiting"), waiting.length > 0);
  show($("#decided"), decided.length > 0);
  const wanted = waiting.map((one) => card(one, rights, titles, refresh));
  const shown = [...$("#open-proposals").children];
  if (wanted.length !== shown.length || wanted.some((one, at) => one !== shown[at])) {
    $("#open-proposals").replaceChildren(...wanted);
  }
  $("#decided-proposals").replaceChildren(...decided.map(decidedProposal));
}
