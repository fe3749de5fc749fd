// Name and password, then what the account still owes: a password of one's own, a one-time code.

import { get, post, proveWith } from "./api.js";
import { $, $$, onSubmit, show } from "./dom.js";
import { t } from "./texts.js";

let key = null;

async function goOn(standing) {
  proveWith(standing.csrf);
  if (standing.next === "ready") {
    location.assign("/");
    return;
  }
  for (const section of $$("main > section")) show(section, section.id === standing.next);
  if (standing.next === "code_setup") {
    const made = await post("/sign-in/code-setup");
    key = made.key;
    $("#key").textContent = made.key.match(/.{1,4}/g).join(" ");
    $("#picture").src = `data:image/svg+xml,${encodeURIComponent(made.picture)}`;
  }
  $(`#${standing.next} input`)?.focus();
}

onSubmit($("#credentials form"), async (given) => goOn(await post("/sign-in", given)));

onSubmit($("#password form"), async (given) => {
  if (given.new !== given.again) throw new Error(t("sign_in.differ"));
  await goOn(await post("/sign-in/password", { new: given.new }));
});

onSubmit($("#code_setup form"), async (given) =>
  goOn(await post("/sign-in/code", { code: given.code.replace(" ", ""), key })),
);

onSubmit($("#code form"), async (given) =>
  goOn(await post("/sign-in/code", { code: given.code.replace(" ", "") })),
);

// A reload in the middle of signing in goes on where it was.
if ("entering" in $("#credentials").dataset) get("/sign-in").then(goOn, () => {});
