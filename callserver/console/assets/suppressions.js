// The opt-outs page: looking up a number, recording and lifting opt-outs, importing lists and registers.

import { download, get, post } from "./api.js";
import "./dates.js";
import { confirm } from "./dialog.js";
import "./file_field.js";
import { $, el, onPress, onSubmit, scrolling, show, toast } from "./dom.js";
import { untilAnswered } from "./live.js";
import { imports } from "./suppressions/imports.js";
import { lifts } from "./suppressions/lifts.js";
import { unsurePeople } from "./suppressions/unsure.js";
import { date, dateTime, has, label, list, number, t } from "./texts.js";

const mayLift = $("#number-card").dataset.lift === "yes";
let shownNumber = ""; // kept here only, never in a URL
let lifting = {}; // what the dialog lifts: the id of an opt-out, or null for all, of which number

const textOf = (family, key) => (has(`${family}.${key}`) ? t(`${family}.${key}`) : key);

// -- the search -------------------------------------------------------------------------------------

function draw(result, about) {
  shownNumber = about;
  show($("#result"));
  $("#about").textContent = t("suppressions.about", { number: result.number });
  const known = result.known.map((contact) =>
    el(
      "li",
      {},
      t("suppressions.known_as", {
        name: contact.name ?? t("suppressions.no_name"),
        campaign: label(contact.title),
      }),
      contact.formerly ? el("span", { class: "soft" }, ` · ${t("suppressions.formerly")}`) : null,
    ),
  );
  $("#known").replaceChildren(
    ...[
      known.length
        ? el("p", {}, t("suppressions.known"))
        : el("p", { class: "soft" }, t("suppressions.nobody")),
      known.length ? el("ul", {}, ...known) : null,
      result.others ? el("p", { class: "soft" }, t("suppressions.others", { count: result.others })) : null,
      result.registers.length
        ? el("p", { class: "note" }, t("suppressions.registered", { names: list(result.registers) }))
        : null,
    ].filter(Boolean),
  );
  $("#opt-outs").replaceChildren(
    result.opt_outs.length ? table(result.opt_outs) : el("p", {}, t("suppressions.none")),
  );
  const liftable = result.opt_outs.some((optOut) => !optOut.lifted_at && !optOut.by_id_only && !optOut.waits);
  if (mayLift) show($("#lift-all"), liftable);
}

function table(optOuts) {
  const heads = ["scope", "when", "by", "how", "state"].map((key) =>
    el("th", { scope: "col" }, t(`suppressions.${key}`)),
  );
  const rows = optOuts.map((optOut) => el("tr", { class: optOut.lifted_at ? "gone" : "" }, ...cells(optOut)));
  return scrolling(
    t("suppressions.title"),
    el("table", {}, el("thead", {}, el("tr", {}, ...heads, el("td", {}))), el("tbody", {}, ...rows)),
  );
}

function cells(optOut) {
  const purpose = optOut.purpose
    ? el("span", { class: "soft block" }, textOf("rules.words.purpose", optOut.purpose))
    : null;
  const how = optOut.list
    ? t("suppressions.list", { list: optOut.list })
    : optOut.received_by
      ? textOf("suppressions.received_by", optOut.received_by)
      : "";
  const state = optOut.lifted_at
    ? el("span", { class: "badge" }, t("suppressions.lifted_at", { when: date(optOut.lifted_at) }))
    : el("span", { class: "badge good" }, t("suppressions.in_force"));
  const lift = el(
    "button",
    {
      type: "button",
      class: "quiet",
      onclick: () => ask(optOut.id, textOf("suppressions.scope", optOut.scope)),
    },
    t("suppressions.lift"),
  );
  const undoButton = el(
    "button",
    { type: "button", class: "quiet", onclick: () => undo(optOut.id) },
    t("suppressions.undo"),
  );
  const receipt = el("button", { type: "button", class: "quiet" }, t("suppressions.receipt"));
  onPress(receipt, () => download("/suppressions/receipt", { number: shownNumber, id: optOut.id }));
  const waits =
    optOut.waits && !optOut.lifted_at ? el("span", { class: "badge warn" }, t("suppressions.waits")) : null;
  return [
    el("th", { scope: "row" }, textOf("suppressions.scope", optOut.scope), purpose),
    el("td", {}, dateTime(optOut.at)),
    el("td", {}, textOf("suppressions.by", optOut.by)),
    el("td", {}, how),
    el("td", {}, state, waits),
    el(
      "td",
      {},
      optOut.list ? null : receipt,
      optOut.undoable ? undoButton : null,
      mayLift && !optOut.lifted_at && !optOut.waits ? lift : null,
    ),
  ];
}

function undo(id) {
  const about = shownNumber;
  confirm(t("suppressions.undo"), t("suppressions.undo_sure"), {
    go: t("suppressions.undo"),
    does: async () => {
      await change("/suppressions/undo", { id }, about);
      toast(t("suppressions.undone"), "good");
    },
  });
}

function ask(id, what) {
  lifting = { id, about: shownNumber };
  $("#lift-what").textContent = what;
  $("#lift form").reset();
  show($("#lift .wrong"), false);
  $("#lift").showModal();
}

onSubmit($("#search"), async (values) => {
  draw(await post("/suppressions/search", { number: values.number }), values.number);
});

// Changes something of the number that is shown. If another was looked up meanwhile, that one stays.
async function change(path, body, about = shownNumber) {
  const result = await post(path, { ...body, number: about });
  if (about === shownNumber) draw(result, about);
}

$("#add [name=scope]").addEventListener("change", (event) =>
  show($("#purpose"), event.target.value === "org"),
);
onSubmit($("#add"), async ({ scope, purpose, received_by }) => {
  const about = scope === "org" && purpose ? purpose : null;
  const choice = $("#add [name=scope]").selectedOptions[0].textContent;
  await change("/suppressions", { scope, received_by, purpose: about });
  toast(t("suppressions.added", { scope: choice }), "good");
});

if (mayLift) {
  $("#lift-all").addEventListener("click", () => ask(null, t("suppressions.lift_hint")));
  $("#lift-cancel").addEventListener("click", () => $("#lift").close());
  onSubmit($("#lift form"), async (values) => {
    await change("/suppressions/lift", { id: lifting.id, ...values }, lifting.about);
    $("#lift").close();
    toast(t("suppressions.lift_proposed"), "good");
    await lifts();
  });
}

// -- registers ------------------------------------------------------------------------------------

async function registers() {
  const { registers: listed, most_days: most, missing } = await get("/registers");
  const hint =
    most === null ? t("suppressions.registers_free") : t("suppressions.registers_hint", { days: most });
  const heads = ["register", "issued", "age", "size"].map((key) =>
    el("th", { scope: "col", class: key === "size" ? "number" : "" }, t(`suppressions.${key}`)),
  );
  const rows = listed.map((register) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, register.name),
      el("td", {}, date(register.issued_at)),
      el("td", {}, t("suppressions.days", { days: register.days_old }), " ", age(register, most)),
      el("td", { class: "number" }, number(register.size)),
    ),
  );
  $("#registers").replaceChildren(
    el("p", { class: "soft" }, hint),
    missing.length
      ? el("p", { class: "note bad" }, t("suppressions.registers_missing", { names: list(missing) }))
      : "",
    rows.length
      ? scrolling(
          t("suppressions.registers"),
          el("table", {}, el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...rows)),
        )
      : el("p", {}, t("suppressions.no_registers")),
  );
}

function age(register, most) {
  if (!register.active) return el("span", { class: "badge" }, t("suppressions.old_issue"));
  if (register.stale) return el("span", { class: "badge bad" }, t("suppressions.stale"));
  if (most === null) return "";
  const left = most - register.days_old;
  return el(
    "span",
    { class: `badge ${left < 14 ? "warn" : "good"}` },
    t("suppressions.days_left", { days: left }),
  );
}

if ($("#export"))
  onSubmit($("#export"), ({ since }) => download("/suppressions/export", { since: since || null }));

imports(registers);
unsurePeople();
await untilAnswered(() => Promise.all([registers(), mayLift && lifts()]));
