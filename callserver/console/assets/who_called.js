// Member service: who called a number and why, opting it out, and recording facts about a person.

import { post } from "./api.js";
import "./dates.js";
import { confirm } from "./dialog.js";
import { $, $$, el, onSubmit, show } from "./dom.js";
import { instantOf } from "./home.js";
import { label, t } from "./texts.js";

let number = "";
let formatted = ""; // the number as the server formats it

async function lookUp(values) {
  for (const part of ["#result", "#stop", "#record"]) show($(part), false); // they are about another number
  $("#fact").reset(); // so is what was typed, a consent's proof among it
  chooseFact();
  const result = await post("/who-called", { number: values.number });
  number = values.number;
  formatted = result.number;
  const heading = $("#result h2");
  heading.textContent = t("who_called.found", { number: formatted });
  $("#result ul").replaceChildren(...result.said.map((sentence) => el("li", {}, sentence.text)));
  const elsewhere = $("#elsewhere");
  elsewhere.textContent = t("who_called.elsewhere", { count: result.elsewhere });
  show(elsewhere, result.elsewhere > 0);
  show($("#suppressed"), result.suppressed);
  choosePerson(result.people);
  show($("#result"));
  show($("#stop"));
  show($("#record"));
  show($("#receipt"), false);
  heading.focus();
}

// If several people have the number, or somebody had it, the user must choose whom a fact is about.
function choosePerson(people) {
  const several = people.length > 1 || people.some(({ formerly }) => formerly);
  const options = people.map(({ contact, name, campaign, formerly }) =>
    el(
      "option",
      { value: contact },
      [name ?? t("suppressions.no_name"), label(campaign), formerly && t("suppressions.formerly")]
        .filter(Boolean)
        .join(" · "),
    ),
  );
  $("#person select").replaceChildren(el("option", { value: "" }, t("who_called.choose")), ...options);
  $("#person select").required = several;
  show($("#person"), several);
}

function receipt(text) {
  $("#receipt p").textContent = text;
  show($("#receipt"));
  $("#receipt h2").focus(); // it stands at the end of the page, and is read aloud
}

onSubmit($("#look-up"), lookUp);

for (const button of $$("[data-reach]")) {
  const { reach } = button.dataset;
  button.addEventListener("click", () =>
    confirm(
      button.textContent,
      `${t(`who_called.sure_${reach}`, { number: formatted })} ${t("who_called.sure_undo")}`,
      {
        go: t("who_called.stop_go"),
        next: $("#receipt h2"),
        does: async () => {
          const { text } = await post("/who-called/opt-out", { number, reach });
          await lookUp({ number });
          receipt(text);
        },
      },
    ),
  );
}

function chooseFact() {
  const isConsent = $("#fact").fact.value === "consent_given";
  show($("#consent"), isConsent);
  $("#consent input[name=at]").required = isConsent;
  show($("#misinformed"), $("#fact").fact.value === "misinformed");
}

$("#fact").fact.addEventListener("change", chooseFact);

async function record({ fact, contact, at, proof, words }) {
  const about = { number, contact: contact ? Number(contact) : null };
  if (fact === "consent_given") {
    // The beginning of the day, so that an opt-out of the same day is later and stays in force.
    await post("/person/consent", { ...about, at: instantOf(at), proof: proof || null });
  } else if (fact === "misinformed") {
    const { id } = await post("/person/misinformed", { ...about, words });
    await lookUp({ number });
    return receipt(t("who_called.misinformed", { case: id }));
  } else {
    await post("/person/facts", { ...about, fact });
  }
  await lookUp({ number });
  receipt(t("who_called.recorded"));
}

onSubmit($("#fact"), async (values) => {
  if (values.fact !== "erased") return record(values);
  const does = () => record(values);
  confirm(t("who_called.fact.erased"), t("who_called.sure_erased"), {
    go: t("who_called.erase_go"),
    bad: true,
    next: $("#receipt h2"),
    does,
  });
});
