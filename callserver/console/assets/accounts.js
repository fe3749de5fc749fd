// Who works here: added, changed, reset, off-boarded; tokens for machines.

import { fill, values } from "./accounts/form.js";
import { get, post } from "./api.js";
import { confirm } from "./dialog.js";
import { $, $$, el, onPress, onSubmit, scrolling, show, toast } from "./dom.js";
import { follow } from "./live.js";
import { date, dateTime, label, number, t } from "./texts.js";

let found;
let chosen; // the account that a dialog is about

const nameOf = (id) => found.accounts.find((one) => one.id === id)?.name ?? "";
const present = () => found.accounts.filter((one) => !one.left_at);

async function refresh() {
  found = await get("/accounts");
  people();
  tokens();
}

// -- people ---------------------------------------------------------------------------------------

function people() {
  const wanted = $("#search").value.trim().toLowerCase();
  const left = $("#show-left").checked;
  const shown = found.accounts
    .filter((one) => left || !one.left_at)
    .filter((one) => !wanted || `${one.name} ${one.handle}`.toLowerCase().includes(wanted))
    .sort((one, other) => one.name.localeCompare(other.name, document.documentElement.lang));
  $("#people").replaceChildren(...shown.map(person));
  show(
    $("#leaders"),
    shown.some((one) => one.kept),
  );
}

function badge(text, kind = "") {
  return el("span", { class: `badge ${kind}` }, text);
}

function states(one) {
  if (one.left_at) return [badge(t("accounts.left", { when: date(one.left_at) }))];
  return [
    one.mine ? badge(t("accounts.you")) : null,
    one.seat ? badge(t("accounts.on_shift"), "good") : null,
    one.role === "phoner" && one.shifts < 3 ? badge(t("accounts.trainee", { count: one.shifts })) : null,
    one.policy_ack ? null : badge(t("accounts.policy_owed"), "warn"),
    one.confirmed ? null : badge(t("accounts.line_owed"), "warn"),
  ].filter(Boolean);
}

function person(one) {
  const button = (key, does, kind = "quiet") =>
    el(
      "button",
      { type: "button", class: kind, "aria-label": `${t(key)}: ${one.name}`, onclick: () => does(one) },
      t(key),
    );
  const buttons = one.left_at
    ? []
    : [
        one.kept ? null : button("accounts.edit", edit),
        one.confirmed ? null : button("accounts.confirm", confirmLine),
        one.kept || one.mine ? null : button("accounts.reset", reset),
        one.kept || one.mine ? null : button("accounts.leave", leave),
      ];
  const department = found.departments[one.department];
  return el(
    "tr",
    { class: one.left_at ? "gone" : "" },
    el("th", { scope: "row" }, one.name, el("span", { class: "handle" }, one.handle)),
    el("td", {}, t(`role.${one.role}`)),
    el(
      "td",
      {},
      one.department ? (department ? label(department) : one.department) : t("accounts.no_department"),
    ),
    el("td", { class: "telephone" }, one.line ?? ""),
    el("td", { class: "states" }, ...states(one)),
    el("td", { class: "acts" }, ...buttons.filter(Boolean)),
  );
}

function edit(one) {
  chosen = one;
  $("#edit-title").textContent = t("accounts.edit_title", { name: one.name });
  fill($("#edit form"), found, one);
  open("#edit");
}

function confirmLine(one) {
  chosen = one;
  $("#confirm-text").textContent = t("accounts.confirm_text", { name: one.name });
  $("#confirm form").reset();
  open("#confirm");
}

function reset(one) {
  chosen = one;
  $("#reset-text").textContent = t("accounts.reset_text", { name: one.name });
  open("#reset");
}

async function leave(one) {
  chosen = one;
  const ends = await get(`/accounts/${one.id}/leaving`);
  $("#leave-title").textContent = t("accounts.leave_title", { name: one.name });
  const count = (key, value) => t(key, { count: number(value) });
  $("#leave-what").replaceChildren(
    ...[
      count("accounts.leave_sessions", ends.sessions),
      count("accounts.leave_tokens", ends.tokens),
      t(ends.seat ? "accounts.leave_seat" : "accounts.leave_no_seat"),
      count("accounts.leave_call_backs", ends.call_backs),
    ].map((text) => el("li", {}, text)),
  );
  open("#leave");
}

// -- tokens ---------------------------------------------------------------------------------------

function tokens() {
  if (!found.tokens.length) {
    $("#tokens").replaceChildren(el("p", {}, t("accounts.no_tokens")));
    return;
  }
  const heads = ["accounts.token_name", "accounts.token_of", "accounts.token_scopes", "accounts.token_until"];
  const rows = found.tokens.map((one) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, one.name),
      el("td", {}, nameOf(one.user)),
      el(
        "td",
        {},
        one.scopes ? one.scopes.map((scope) => t(`action.${scope}`)).join(", ") : t("accounts.token_all"),
      ),
      el("td", {}, one.until ? dateTime(one.until) : t("accounts.token_forever")),
      el(
        "td",
        { class: "acts" },
        el("button", { type: "button", class: "quiet", onclick: () => drop(one) }, t("accounts.token_drop")),
      ),
    ),
  );
  $("#tokens").replaceChildren(
    scrolling(
      t("accounts.tokens"),
      el(
        "table",
        {},
        el(
          "thead",
          {},
          el(
            "tr",
            {},
            ...heads.map((key) => el("th", { scope: "col" }, t(key))),
            el("th", { scope: "col" }, el("span", { class: "sr" }, t("accounts.token_drop"))),
          ),
        ),
        el("tbody", {}, ...rows),
      ),
    ),
  );
}

function drop(one) {
  confirm(t("accounts.token_drop"), t("accounts.token_drop_sure", { name: one.name }), {
    go: t("accounts.token_drop"),
    bad: true,
    does: async () => {
      await post(`/tokens/${one.id}/drop`);
      toast(t("accounts.token_dropped"));
      await refresh();
    },
  });
}

function scopes() {
  const user = found.accounts.find((one) => String(one.id) === $("#token [name=user]").value);
  $("#scopes").replaceChildren(
    ...(found.may[user?.role] ?? []).map((action) =>
      el(
        "label",
        { class: "inline" },
        el("input", { type: "checkbox", name: "scope", value: action }),
        t(`action.${action}`),
      ),
    ),
  );
}

// -- dialogs --------------------------------------------------------------------------------------

function open(selector) {
  const wrong = $(`${selector} .wrong`);
  if (wrong) show(wrong, false);
  $(selector).showModal();
}

function tell(secret, text) {
  $("#secret-value").textContent = secret;
  $("#secret-text").textContent = text;
  open("#secret");
}

for (const button of $$("dialog .close"))
  button.addEventListener("click", () => button.closest("dialog").close());
// Shown only once: Esc does not throw it away.
$("#secret").addEventListener("cancel", (event) => event.preventDefault());
$("#secret").addEventListener("keydown", (event) => event.key === "Escape" && event.preventDefault());
$("#secret").addEventListener("close", () => ($("#secret-value").textContent = ""));
$("#copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText($("#secret-value").textContent);
  toast(t("accounts.copied"), "good");
});

$("#open-add").addEventListener("click", () => {
  $("#add form").reset();
  fill($("#add form"), found, null);
  open("#add");
});
onSubmit($("#add form"), async ({ handle }) => {
  const given = values($("#add form"));
  const made = await post("/accounts", { handle, ...given });
  $("#add").close();
  toast(t("accounts.added", { name: given.name }), "good");
  await refresh();
  tell(made.secret, t("accounts.password_text", { name: given.name }));
});
onSubmit($("#edit form"), async () => {
  const given = values($("#edit form"));
  await post(`/accounts/${chosen.id}`, given);
  $("#edit").close();
  toast(t("accounts.saved", { name: given.name }), "good");
  await refresh();
});
onPress($("#confirm-call"), async () => {
  const wrong = $("#confirm .wrong");
  show(wrong, false);
  try {
    await post(`/accounts/${chosen.id}/line/call`);
    toast(t("accounts.confirm_called"));
  } catch (error) {
    wrong.textContent = error.message;
    show(wrong);
  }
});
onSubmit($("#confirm form"), async ({ code }) => {
  await post(`/accounts/${chosen.id}/line/code`, { code: code.trim() });
  $("#confirm").close();
  toast(t("phone.line.done"), "good");
  await refresh();
});
onSubmit($("#reset form"), async () => {
  const made = await post(`/accounts/${chosen.id}/reset`);
  $("#reset").close();
  tell(made.secret, t("accounts.password_text", { name: chosen.name }));
});
onSubmit($("#leave form"), async () => {
  const left = await post(`/accounts/${chosen.id}/off-board`);
  $("#leave").close();
  toast(t("accounts.left_done", { name: chosen.name, count: number(left.call_backs) }));
  await refresh();
});
$("#open-token").addEventListener("click", () => {
  $("#token form").reset();
  const options = present().filter((one) => !one.kept);
  $("#token [name=user]").replaceChildren(
    ...options.map((one) => el("option", { value: one.id }, `${one.name} (${one.handle})`)),
  );
  scopes();
  open("#token");
});
$("#token [name=user]").addEventListener("change", scopes);
onSubmit($("#token form"), async ({ user, name, days }) => {
  const chosenScopes = $$("#scopes input:checked").map((one) => one.value);
  const body = { name, days: Number(days), scopes: chosenScopes.length ? chosenScopes : null };
  const made = await post(`/accounts/${user}/tokens`, body);
  $("#token").close();
  await refresh();
  tell(made.secret, t("accounts.token_text"));
});
$("#search").addEventListener("input", people);
$("#show-left").addEventListener("change", people);

await refresh();
for (const button of ["#open-add", "#open-token"]) $(button).disabled = false; // they need the accounts
follow(refresh, {});
