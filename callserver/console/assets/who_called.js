// Who called this number, and why? And: no more calls, there and then.

import { post } from "./api.js";
import "./dates.js";
import { confirm } from "./dialog.js";
import { $, $$, el, onSubmit, show } from "./dom.js";
import { label, t } from "./texts.js";

let number = "";
let spoken = ""; // the same, as it is read out

async function lookUp(given) {
  const found = await post("/who-called", { number: given.number });
  number = given.number;
  spoken = found.number;
  const heading = $("#found h2");
  heading.textContent = t("who_called.found", { number: spoken });
  $("#found ul").replaceChildren(...found.said.map((one) => el("li", {}, one.text)));
  const elsewhere = $("#elsewhere");
  elsewhere.textContent = t("who_called.elsewhere", { count: found.elsewhere });
  show(elsewhere, found.elsewhere > 0);
  show($("#suppressed"), found.suppressed);
  choosePerson(found.people);
  show($("#found"));
  show($("#stop"));
  show($("#record"));
  show($("#receipt"), false);
  heading.focus();
}

// Several people are known at the number: whom a fact is about must be said.
function choosePerson(people) {
  const several = people.length > 1;
  const options = people.map(({ contact, name, campaign }) =>
    el("option", { value: contact }, `${name ?? t("suppressions.no_name")} · ${label(campaign)}`),
  );
  $("#person select").replaceChildren(el("option", { value: "" }, t("who_called.choose")), ...options);
  $("#person select").required = several;
  show($("#person"), several);
}

function receipt(text) {
  $("#receipt p").textContent = text;
  show($("#receipt"));
}

onSubmit($("#look-up"), lookUp);

for (const button of $$("[data-reach]")) {
  const { reach } = button.dataset;
  button.addEventListener("click", () =>
    confirm(
      button.textContent,
      `${t(`who_called.sure_${reach}`, { number: spoken })} ${t("who_called.sure_undo")}`,
      {
        go: t("who_called.stop_go"),
        does: async () => {
          const { text } = await post("/who-called/opt-out", { number, reach });
          await lookUp({ number });
          receipt(text);
        },
      },
    ),
  );
}

$("#fact select").addEventListener("change", ({ target }) => {
  const given = target.value === "consent_given";
  show($("#consent"), given);
  $("#consent input[name=at]").required = given;
});

async function record({ fact, contact, at, proof }) {
  const about = { number, contact: contact ? Number(contact) : null };
  if (fact === "consent_given") {
    // The day's beginning: an opt-out of the same day comes after it and stands.
    const when = new Date(`${at}T00:00`).toISOString();
    await post("/person/consent", { ...about, at: when, proof: proof || null });
  } else {
    await post("/person/facts", { ...about, fact });
  }
  await lookUp({ number });
  receipt(t("who_called.recorded"));
}

onSubmit($("#fact"), async (given) => {
  if (given.fact !== "erased") return record(given);
  const does = () => record(given);
  confirm(t("who_called.fact.erased"), t("who_called.sure_erased"), {
    go: t("who_called.erase_go"),
    bad: true,
    does,
  });
});
