// Finding a person, everything known about them, and what can be recorded or undone.

import { download, post } from "./api.js";
import "./dates.js";
import { confirm, focusAfterwards } from "./dialog.js";
import { $, $$, el, onPress, onSubmit, show, toast } from "./dom.js";
import { instantOf } from "./home.js";
import { draw, find } from "./person/record.js";
import { list, t } from "./texts.js";

let contact = null; // of the person who is shown
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

// Shows the person as they are after a change, unless another was opened meanwhile.
async function again(about) {
  const person = await post("/person", { contact: about, why });
  if (about === contact) redraw(person);
}

// What a dialog does is about the person who was shown when it was opened.
function redraw(person) {
  const about = contact;
  draw(person, {
    undo: (mark, reason) => undo(about, mark, reason),
    decide: (one, other, verdict, reason) => decide(one ?? about, other, verdict, reason, about),
    remove: (listed, reason) => remove(person, about, listed, reason),
  });
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

async function undo(about, mark, reason) {
  await post("/person/undo", { contact: about, mark, why: reason });
  toast(t("person.undone"), "good");
  await again(about);
}

async function decide(one, other, verdict, reason, about) {
  await post("/person/decide", { contact: one, other, verdict, why: reason });
  toast(t("person.decided"), "good");
  await again(about);
}

async function remove(person, about, listed, reason) {
  await post(`/contacts/${listed}/remove`, { why: reason });
  toast(t("person.removed"), "good");
  if (about !== contact) return;
  const left = person.campaigns.map((row) => row.contact).filter((key) => key !== listed);
  if (left.includes(about)) return again(about);
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
    const about = contact;
    const choice = $("[name=scope]", optOut).selectedOptions[0].textContent;
    confirm(t("person.opt_out"), t("person.opt_out_sure", { name: find().textContent, scope: choice }), {
      go: t("person.opt_out"),
      does: async () => {
        await post("/person/opt-out", { contact: about, scope, received_by });
        toast(t("person.opted_out", { scope: choice }), "good");
        if (about === contact) optOut.reset();
        await again(about);
      },
    });
  });
  fact.fact.addEventListener("change", chooseFact);
  onSubmit(fact, async (values) => {
    const about = contact;
    if (values.fact !== "erased") return record(about, values);
    confirm(t("who_called.fact.erased"), t("who_called.sure_erased"), {
      go: t("who_called.erase_go"),
      bad: true,
      does: () => record(about, values),
    });
  });
}

function chooseFact() {
  const isConsent = fact.fact.value === "consent_given";
  for (const field of $$(".consent", fact)) show(field, isConsent);
  fact.at.required = isConsent;
  show($(".misinformed", fact), fact.fact.value === "misinformed");
}

async function record(about, { fact: known, at, proof, words }) {
  if (known === "consent_given") {
    // The beginning of the day, so that an opt-out of the same day is later and stays in force.
    await post("/person/consent", { contact: about, at: instantOf(at), proof: proof || null });
  } else if (known === "misinformed") {
    await post("/person/misinformed", { contact: about, words });
  } else {
    await post("/person/facts", { contact: about, fact: known });
  }
  toast(t("person.recorded"), "good");
  if (about === contact) {
    fact.reset(); // so that nothing is recorded twice
    chooseFact();
  }
  await again(about);
}
