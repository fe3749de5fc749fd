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
