// Signing in: name and password, then what is still required (a new password, a one-time code).

import { get, post, setCsrf } from "./api.js";
import { $, $$, onSubmit, show } from "./dom.js";
import { t, when } from "./texts.js";

let key = null;

// An authenticator shows the code in groups.
const digits = (code) => code.replace(/\s/g, "");

async function goOn(status) {
  setCsrf(status.csrf);
  let next = status.next;
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
  if (status.next === "code_setup") {
    const setup = await post("/sign-in/code-setup");
    key = setup.key;
    $("#key").textContent = setup.key.match(/.{1,4}/g).join(" ");
    $("#picture").src = `data:image/svg+xml,${encodeURIComponent(setup.picture)}`;
  }
  $(`#${next} input, #${next} button`)?.focus();
}

onSubmit($("#credentials form"), async (values) => goOn(await post("/sign-in", values)));

onSubmit($("#password form"), async (values) => {
  if (values.new !== values.again) throw new Error(t("sign_in.differ"));
  await goOn(await post("/sign-in/password", { new: values.new }));
});

onSubmit($("#code_setup form"), async (values) =>
  goOn(await post("/sign-in/code", { code: digits(values.code), key })),
);

onSubmit($("#code form"), async (values) => goOn(await post("/sign-in/code", { code: digits(values.code) })));

onSubmit($("#confirmation form"), async () => {
  const status = await get("/sign-in");
  if (status.next === "confirmation") throw new Error(t("sign_in.confirmation_not_yet"));
  await goOn(status);
});

onSubmit($("#refused form"), async () => {
  await post("/me/refused-attempts");
  location.assign("/");
});

// A reload in the middle of signing in goes on where it was.
if ("entering" in $("#credentials").dataset) get("/sign-in").then(goOn, () => {});
