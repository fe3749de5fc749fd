// The accounts page: adding, changing, resetting and off-boarding users; tokens for programs.

import { openChecklist, refreshChecklist } from "./accounts/checklist.js";
import { fill, values } from "./accounts/form.js";
import { get, post } from "./api.js";
import { confirm } from "./dialog.js";
import { $, $$, el, keepFocus, newest, onPress, onSubmit, scrolling, show, toast } from "./dom.js";
import { follow } from "./live.js";
import { showSecret } from "./secret.js";
import { date, dateTime, label, list, number, t } from "./texts.js";

let data;
let chosen; // the account that a dialog is about
let leaving; // the account whose dialog was asked for last

const nameOf = (id) => data.accounts.find((account) => account.id === id)?.name ?? "";
const present = () => data.accounts.filter((account) => !account.left_at);

const refresh = newest(async () => {
  data = await get("/accounts");
  people();
  tokens();
  await refreshChecklist();
});

// -- people ---------------------------------------------------------------------------------------

function people() {
  const wanted = $("#search").value.trim().toLowerCase();
  const left = $("#show-left").checked;
  const shown = data.accounts
    .filter((account) => left || !account.left_at)
    .filter((account) => !wanted || `${account.name} ${account.handle}`.toLowerCase().includes(wanted))
    .sort((a, b) => a.name.localeCompare(b.name, document.documentElement.lang));
  keepFocus(() => $("#people").replaceChildren(...shown.map(person)), $("#search"));
  show(
    $("#leaders"),
    shown.some((account) => account.kept),
  );
}

function badge(text, kind = "") {
  return el("span", { class: `badge ${kind}` }, text);
}

function states(account) {
  if (account.left_at)
    return [
      badge(t("accounts.left", { when: date(account.left_at) })),
      account.leaving === "complete"
        ? badge(t("accounts.checklist_done"))
        : badge(t("accounts.checklist_open"), "warn"),
    ];
  return [
    account.mine ? badge(t("accounts.you")) : null,
    account.seat ? badge(t("accounts.on_shift"), "good") : null,
    account.shift ? badge(t("accounts.trainee", { count: account.shift })) : null,
    account.confirmed ? null : badge(t("accounts.line_owed"), "warn"),
    account.leaving === "announced" ? badge(t("accounts.announced"), "warn") : null,
    account.waits ? badge(t("accounts.waits"), "warn") : null,
  ].filter(Boolean);
}

function person(account) {
  const button = (key, does, kind = "quiet") =>
    el(
      "button",
      {
        type: "button",
        class: kind,
        "data-key": `${key}-${account.id}`,
        "aria-label": t("page.of", { label: t(key), name: account.name }),
        onclick: () => does(account),
      },
      t(key),
    );
  const checklist =
    account.kept || account.leaving === "present"
      ? null
      : button("accounts.checklist", ({ id }) => openChecklist(id, refresh));
  const buttons = account.left_at
    ? [checklist]
    : [
        account.kept ? null : button("accounts.edit", edit),
        account.confirmed ? null : button("accounts.confirm", confirmLine),
        account.kept || account.mine ? null : button("accounts.reset", reset),
        checklist,
        account.kept || account.mine ? null : button("accounts.leave", leave),
      ];
  const department = data.departments[account.department];
  return el(
    "tr",
    { class: account.left_at ? "gone" : "" },
    el("th", { scope: "row" }, account.name, el("span", { class: "handle" }, account.handle)),
    el("td", {}, t(`role.${account.role}`)),
    el(
      "td",
      {},
      account.department
        ? department
          ? label(department)
          : account.department
        : t("accounts.no_department"),
    ),
    el("td", { class: "telephone" }, account.line ?? ""),
    el("td", { class: "states" }, ...states(account)),
    el("td", { class: "acts" }, ...buttons.filter(Boolean)),
  );
}

function edit(account) {
  chosen = account;
  $("#edit-title").textContent = t("accounts.edit_title", { name: account.name });
  fill($("#edit form"), data, account);
  open("#edit");
}

function confirmLine(account) {
  chosen = account;
  $("#confirm-text").textContent = t("accounts.confirm_text", { name: account.name });
  $("#confirm form").reset();
  open("#confirm");
}

function reset(account) {
  chosen = account;
  $("#reset-text").textContent = t("accounts.reset_text", { name: account.name });
  open("#reset");
}

// `chosen` changes with the dialog's text: an answer about somebody else may still be on its way.
async function leave(account) {
  leaving = account;
  const ends = await get(`/accounts/${account.id}/leaving`);
  if (leaving !== account || document.querySelector("dialog[open]")) return;
  chosen = account;
  $("#leave-title").textContent = t("accounts.leave_title", { name: account.name });
  const count = (key, value) => t(key, { count: number(value) });
  $("#leave-what").replaceChildren(
    ...[
      count("accounts.leave_sessions", ends.sessions),
      count("accounts.leave_tokens", ends.tokens),
      t(ends.seat ? "accounts.leave_seat" : "accounts.leave_no_seat"),
      count("accounts.leave_call_backs", ends.call_backs),
    ].map((text) => el("li", {}, text)),
  );
  show($("#leave-announce"), account.leaving === "present");
  open("#leave");
}

// -- tokens ---------------------------------------------------------------------------------------

function tokens() {
  if (!data.tokens.length) {
    $("#tokens").replaceChildren(el("p", {}, t("accounts.no_tokens")));
    return;
  }
  const heads = ["accounts.token_name", "accounts.token_of", "accounts.token_scopes", "accounts.token_until"];
  const rows = data.tokens.map((token) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, token.name),
      el("td", {}, nameOf(token.user)),
      el(
        "td",
        {},
        token.scopes ? list(token.scopes.map((scope) => t(`action.${scope}`))) : t("accounts.token_all"),
      ),
      el("td", {}, token.until ? dateTime(token.until) : t("accounts.token_forever")),
      el(
        "td",
        { class: "acts" },
        el(
          "button",
          { type: "button", class: "quiet", "data-key": `drop-${token.id}`, onclick: () => drop(token) },
          t("accounts.token_drop"),
        ),
      ),
    ),
  );
  const table = scrolling(
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
  );
  keepFocus(() => $("#tokens").replaceChildren(table), $("#tokens-title"));
}

function drop(token) {
  confirm(t("accounts.token_drop"), t("accounts.token_drop_sure", { name: token.name }), {
    go: t("accounts.token_drop"),
    bad: true,
    does: async () => {
      await post(`/tokens/${token.id}/drop`);
      toast(t("accounts.token_dropped"));
      await refresh();
    },
  });
}

function scopes() {
  const user = data.accounts.find((account) => String(account.id) === $("#token [name=user]").value);
  $("#scopes").replaceChildren(
    ...(data.may[user?.role] ?? []).map((action) =>
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

for (const button of $$("dialog .close"))
  button.addEventListener("click", () => button.closest("dialog").close());

$("#open-add").addEventListener("click", () => {
  $("#add form").reset();
  fill($("#add form"), data, null);
  open("#add");
});
onSubmit($("#add form"), async ({ handle }) => {
  const account = values($("#add form"));
  const created = await post("/accounts", { handle, ...account });
  $("#add").close();
  toast(t("accounts.added", { name: account.name }), "good");
  showSecret(created.secret, t("accounts.password_text", { name: account.name }));
  await refresh();
});
// A dialog may be closed, and opened about somebody else, before the answer comes.
function closes(selector, about) {
  if (chosen === about) $(selector).close();
}

onSubmit($("#edit form"), async () => {
  const about = chosen;
  const account = values($("#edit form"));
  await post(`/accounts/${about.id}`, account);
  closes("#edit", about);
  toast(t("accounts.saved", { name: account.name }), "good");
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
  const about = chosen;
  await post(`/accounts/${about.id}/line/code`, { code: code.trim() });
  closes("#confirm", about);
  toast(t("phone.line.done"), "good");
  await refresh();
});
onSubmit($("#reset form"), async () => {
  const about = chosen;
  const created = await post(`/accounts/${about.id}/reset`);
  closes("#reset", about);
  showSecret(created.secret, t("accounts.password_text", { name: about.name }));
});
onPress($("#announce"), async () => {
  const about = chosen;
  await post(`/accounts/${about.id}/checklist/announcement`, { leaves: true });
  closes("#leave", about);
  await refresh();
  if (chosen === about) await openChecklist(about.id, refresh);
});
onSubmit($("#leave form"), async () => {
  const about = chosen;
  const left = await post(`/accounts/${about.id}/off-board`);
  closes("#leave", about);
  toast(t("accounts.left_done", { name: about.name, count: number(left.call_backs) }));
  await refresh();
});
$("#open-token").addEventListener("click", () => {
  $("#token form").reset();
  const options = present().filter((account) => !account.kept);
  $("#token [name=user]").replaceChildren(
    ...options.map((account) => el("option", { value: account.id }, `${account.name} (${account.handle})`)),
  );
  scopes();
  open("#token");
});
$("#token [name=user]").addEventListener("change", scopes);
onSubmit($("#token form"), async ({ user, name, days }) => {
  const chosenScopes = $$("#scopes input:checked").map((input) => input.value);
  const body = { name, days: Number(days), scopes: chosenScopes.length ? chosenScopes : null };
  const created = await post(`/accounts/${user}/tokens`, body);
  $("#token").close();
  showSecret(created.secret, t("accounts.token_text"));
  await refresh();
});
$("#search").addEventListener("input", people);
$("#show-left").addEventListener("change", people);

await follow(refresh, { accounts: refresh });
for (const button of ["#open-add", "#open-token"]) $(button).disabled = false; // they need the data
