// Finding a person, everything known about them, and what can be recorded or undone.

import { download, post } from "./api.js";
import "./dates.js";
import { confirm, focusAfterwards } from "./dialog.js";
import { $, $$, el, onPress, onSubmit, show, toast } from "./dom.js";
import { draw, find } from "./person/record.js";
import { list, t } from "./texts.js";

let contact = null; // of the person who is shown
let shown = null; // the person, as the API told
let why = ""; // the reason that the user gave

const optOut = $("#opt-out");
const fact = $("#fact");
let turn = 0; // counts searches and openings: only the latest is shown

async function open(key) {
  turn += 1;
  const mine = turn;
  const person = await post("/person", { contact: key, why });
  if (mine !== turn) return;
  contact = key;
  for (const form of [optOut, fact]) form?.reset(); // what was typed is about another person
  if (fact) chooseFact();
  redraw(person);
  show($("#record"));
  find(person).focus();
}

const again = async () => redraw(await post("/person", { contact, why }));

function redraw(person) {
  shown = person;
  draw(person, { undo, decide, remove });
}

function hit(person) {
  const told = [list(person.refs), list(person.numbers), list(person.campaigns)].filter(Boolean);
  const name = person.name ?? t("person.no_name");
  return el(
    "li",
    {},
    el("span", {}, name, el("span", { class: "soft" }, told.join(" · "))),
    el(
      "button",
      { type: "button", "aria-label": `${t("person.open")} ${name}`, onclick: () => open(person.contact) },
      t("person.open"),
    ),
  );
}

onSubmit($("#search"), async (values) => {
  turn += 1;
  why = values.why;
  show($("#record"), false);
  const { hits, elsewhere, more } = await post("/person/search", { text: values.text });
  $("#search-results").replaceChildren(
    hits.length ? el("ul", {}, ...hits.map(hit)) : el("p", {}, t("person.none")),
    more ? el("p", { class: "note" }, t("person.more")) : "",
    elsewhere ? el("p", { class: "soft" }, t("person.elsewhere_hits", { count: elsewhere })) : "",
  );
  if (hits.length === 1 && !more) await open(hits[0].contact);
});

async function undo(mark, reason) {
  await post("/person/undo", { contact, mark, why: reason });
  toast(t("person.undone"), "good");
  await again();
}

// `one`: the contact that is decided about; null: the one that is shown.
async function decide(one, other, verdict, reason) {
  await post("/person/decide", { contact: one ?? contact, other, verdict, why: reason });
  toast(t("person.decided"), "good");
  await again();
}

async function remove(listed, reason) {
  await post(`/contacts/${listed}/remove`, { why: reason });
  toast(t("person.removed"), "good");
  const left = shown.campaigns.map((row) => row.contact).filter((key) => key !== listed);
  if (left.includes(contact)) return again();
  focusAfterwards(left.length ? find : () => $("#search [name=text]"));
  if (left.length) return open(left[0]);
  show($("#record"), false);
}

for (const button of $$("[data-format]")) {
  const { format } = button.dataset;
  onPress(button, () => download("/person/copy", { contact, format, language: $("#copy-language").value }));
}

if (optOut) {
  onSubmit(optOut, async ({ scope, received_by }) => {
    const choice = $("[name=scope]", optOut).selectedOptions[0].textContent;
    confirm(t("person.opt_out"), t("person.opt_out_sure", { name: find().textContent, scope: choice }), {
      go: t("person.opt_out"),
      does: async () => {
        await post("/person/opt-out", { contact, scope, received_by });
        toast(t("person.opted_out"), "good");
        await again();
      },
    });
  });
  fact.fact.addEventListener("change", chooseFact);
  onSubmit(fact, async (values) => {
    if (values.fact !== "erased") return record(values);
    confirm(t("who_called.fact.erased"), t("who_called.sure_erased"), {
      go: t("who_called.erase_go"),
      bad: true,
      does: () => record(values),
    });
  });
}

function chooseFact() {
  const isConsent = fact.fact.value === "consent_given";
  for (const field of $$(".consent", fact)) show(field, isConsent);
  fact.at.required = isConsent;
}

async function record({ fact: known, at, proof }) {
  if (known === "consent_given") {
    // The beginning of the day, so that an opt-out of the same day is later and stays in force.
    const when = new Date(`${at}T00:00`).toISOString();
    await post("/person/consent", { contact, at: when, proof: proof || null });
  } else {
    await post("/person/facts", { contact, fact: known });
  }
  toast(t("person.recorded"), "good");
  await again();
}
