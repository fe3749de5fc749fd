// Who called this number, and why? And: no more calls, there and then.

import { post } from "./api.js";
import { $, $$, el, onSubmit, show } from "./dom.js";
import { t } from "./texts.js";

let number = "";

async function lookUp(given) {
  const found = await post("/who-called", { number: given.number });
  number = given.number;
  const heading = $("#found h2");
  heading.textContent = t("who.found", { number: found.number });
  $("#found ul").replaceChildren(...found.said.map((one) => el("li", {}, one.text)));
  const elsewhere = $("#elsewhere");
  elsewhere.textContent = t("who.elsewhere", { count: found.elsewhere });
  show(elsewhere, found.elsewhere > 0);
  show($("#suppressed"), found.suppressed);
  show($("#found"));
  show($("#stop"));
  show($("#record"));
  show($("#receipt"), false);
  heading.focus();
}

onSubmit($("#look-up"), lookUp);

for (const button of $$("[data-reach]")) {
  button.addEventListener("click", async () => {
    const receipt = await post("/who-called/opt-out", { number, reach: button.dataset.reach });
    await lookUp({ number });
    $("#receipt p").textContent = receipt.text;
    show($("#receipt"));
  });
}

$("#fact select").addEventListener("change", ({ target }) => {
  const given = target.value === "consent_given";
  show($("#consent"), given);
  $("#consent input[name=at]").required = given;
});

onSubmit($("#fact"), async ({ fact, contact, at, proof }) => {
  const about = { number, contact: contact ? Number(contact) : null };
  if (fact === "consent_given") {
    // The day's beginning: an opt-out of the same day comes after it and stands.
    const when = new Date(`${at}T00:00`).toISOString();
    await post("/person/consent", { ...about, at: when, proof: proof || null });
  } else {
    await post("/person/facts", { ...about, fact });
  }
  await lookUp({ number });
  $("#receipt p").textContent = t("who.recorded");
  show($("#receipt"));
});
