// Proposals: those that wait for a second person, and those that are decided.

import { post } from "../api.js";
import { $, el, oneAtATime, onSubmit, passFocus, show, toast } from "../dom.js";
import { dateTime, list, t } from "../texts.js";
import { looserList, proposalsDiff } from "./differences.js";
import { effectForm } from "./effect.js";

const BADGE = { open: "warn", applied: "good", active: "good", refused: "bad", withdrawn: "" };

function proposer(proposal) {
  const when = dateTime(proposal.at);
  return proposal.by === null
    ? t("rules.proposed_by_files", { when })
    : t("rules.proposed_by", { name: proposal.by, when });
}

const reviewOf = ({ why, ethics }) => [
  why ? el("p", {}, t("rules.proposed_why", { why })) : null,
  ethics ? el("p", {}, t("rules.proposed_ethics", { ethics })) : null,
];

function lazily(title, fill) {
  const body = el("div");
  const details = el("details", {}, el("summary", {}, title), body);
  details.addEventListener("toggle", async () => {
    if (details.open && !body.hasChildNodes()) body.replaceChildren(...(await fill()));
  });
  return details;
}

// The decided proposal has left the list: the focus goes to the next proposal, or to the rules.
const goOn = (focused) => passFocus(focused, $("#waiting:not([hidden]) h2") ?? $("#name"));

function openProposal(proposal, rights, titles, refresh) {
  const row = el("div", { class: "row" });
  const act = (work, doneText) =>
    oneAtATime(row, async () => {
      const focused = document.activeElement;
      try {
        const answer = await work();
        toast(t(doneText), "good");
        if (answer?.written)
          toast(t(`rules.written.${answer.written}`), answer.written === "yes" ? "good" : "");
        await refresh();
      } catch (error) {
        await refresh(); // it may have changed: only what is shown can be approved
        toast(error.message, "bad");
      }
      goOn(focused);
    });
  const base = `/rules/proposals/${proposal.id}`;
  const buttons = [];
  if (rights.approve && !proposal.mine) {
    const approve = () => post(`${base}/approve`, { revision: proposal.revision });
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
  if (rights.change && (proposal.mine || proposal.by === null)) {
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
    const focused = document.activeElement;
    await post(`${base}/refuse`, { why });
    toast(t("rules.refused_done"));
    await refresh();
    goOn(focused);
  });
  row.append(...buttons);
  const hint = proposal.mine ? t("rules.yours") : rights.approve ? null : t("rules.needs_leader");
  if (hint) row.append(el("span", { class: "soft" }, hint));
  return el(
    "article",
    { class: "card proposal", "data-id": proposal.id },
    el(
      "p",
      {},
      el("strong", {}, proposer(proposal)),
      " ",
      el("span", { class: "soft" }, list(proposal.changed)),
    ),
    ...reviewOf(proposal),
    proposal.stale ? el("p", { class: "note" }, t("rules.stale")) : null,
    el("h3", {}, t("rules.looser_title")),
    looserList(proposal.looser),
    lazily(t("rules.diff"), () => proposalsDiff(proposal.id)),
    lazily(t("rules.effect"), async () => [effectForm(`${base}/effect`, () => ({}), titles)]),
    row,
    refusal,
  );
}

function decidedProposal(proposal) {
  return el(
    "div",
    { class: "decided" },
    el(
      "p",
      {},
      el("span", { class: `badge ${BADGE[proposal.state]}` }, t(`rules.state.${proposal.state}`)),
      " ",
      proposer(proposal),
      proposal.decided_by
        ? el(
            "span",
            { class: "soft block" },
            t("rules.decided_by", { name: proposal.decided_by, when: dateTime(proposal.decided_at) }),
          )
        : null,
    ),
    ...reviewOf(proposal),
    proposal.answer ? el("p", {}, t("rules.answered", { answer: proposal.answer })) : null,
    lazily(t("rules.show_diff", { files: list(proposal.changed) }), () => proposalsDiff(proposal.id)),
  );
}

// An unchanged proposal keeps its element, because somebody may be typing a refusal in it.
const cards = new Map();

function card(proposal, ...more) {
  const content = JSON.stringify(proposal);
  if (cards.get(proposal.id)?.content !== content) {
    cards.set(proposal.id, { content, element: openProposal(proposal, ...more) });
  }
  return cards.get(proposal.id).element;
}

export function listProposals(proposals, rights, titles, refresh) {
  const waiting = proposals.filter((proposal) => proposal.state === "open");
  const decided = proposals.filter((proposal) => proposal.state !== "open");
  show($("#waiting"), waiting.length > 0);
  show($("#decided"), decided.length > 0);
  const wanted = waiting.map((proposal) => card(proposal, rights, titles, refresh));
  const shown = [...$("#open-proposals").children];
  if (wanted.length !== shown.length || wanted.some((element, at) => element !== shown[at])) {
    $("#open-proposals").replaceChildren(...wanted);
  }
  $("#decided-proposals").replaceChildren(...decided.map(decidedProposal));
}
