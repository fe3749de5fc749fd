// Name and password, then what the account still owes: a password of one's own, a one-time code.

import { get, post, proveWith } from "./api.js";
import { $, $$, onSubmit, show } from "./dom.js";
import { t, when } from "./texts.js";

let key = null;

async function goOn(standing) {
  proveWith(standing.csrf);
  let next = standing.next;
  if (next === "ready") {
    const me = await get("/me");
    if (!me.refused_attempts) {
      location.assign("/");
      return;
    }
    next = "refused";
    const values = { count: me.refused_attempts, when: when(me.refused_at) };
    $("#refused_text").textContent = t("sign_in.refused_text", values);
  }
  for (const section of $$("main > section")) show(section, section.id === next);
  if (standing.next === "code_setup") {
    const made = await post("/sign-in/code-setup");
    key = made.key;
    $("#key").textContent = made.key.match(/.{1,4}/g).join(" ");
    $("#picture").src = `data:image/svg+xml,${encodeURIComponent(made.picture)}`;
  }
  $(`#${next} input, #${next} button`)?.focus();
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

onSubmit($("#refused form"), async () => {
  await post("/me/refused-attempts");
  location.assign("/");
});

// A reload in the middle of signing in goes on where it was.
if ("entering" in $("#credentials").dataset) get("/sign-in").then(goOn, () => {});
