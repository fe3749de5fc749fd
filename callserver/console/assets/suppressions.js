// Noes: a number looked up, a no noted or lifted; lists of noes and public registers taken in.

import { get, post } from "./api.js";
import "./dates.js";
import { confirm } from "./dialog.js";
import { $, el, onSubmit, scrolling, show, toast } from "./dom.js";
import { imports } from "./suppressions/imports.js";
import { lifts } from "./suppressions/lifts.js";
import { date, dateTime, has, number, t } from "./texts.js";

const mayLift = $("#number-card").dataset.lift === "yes";
let asked = ""; // the number that is shown: kept here only, never in an address
let lifting = null; // one no's id; null: all that the number lifts

const said = (family, key) => (has(`${family}.${key}`) ? t(`${family}.${key}`) : key);

// -- one number -----------------------------------------------------------------------------------

function draw(found) {
  show($("#found"));
  $("#about").textContent = t("suppressions.about", { number: found.number });
  const known = found.known.map((one) =>
    el(
      "li",
      {},
      t("suppressions.known_as", { name: one.name ?? t("suppressions.no_name"), campaign: one.campaign }),
    ),
  );
  $("#known").replaceChildren(
    ...[
      known.length
        ? el("p", {}, t("suppressions.known"))
        : el("p", { class: "soft" }, t("suppressions.nobody")),
      known.length ? el("ul", {}, ...known) : null,
      found.others ? el("p", { class: "soft" }, t("suppressions.others", { count: found.others })) : null,
      found.registers.length
        ? el("p", { class: "note" }, t("suppressions.registered", { names: found.registers.join(", ") }))
        : null,
    ].filter(Boolean),
  );
  $("#noes").replaceChildren(found.noes.length ? table(found.noes) : el("p", {}, t("suppressions.none")));
  const liftable = found.noes.some((one) => !one.lifted_at && !one.by_id_only && !one.waits);
  if (mayLift) show($("#lift-all"), liftable);
}

function table(noes) {
  const heads = ["scope", "when", "by", "how", "state"].map((key) =>
    el("th", { scope: "col" }, t(`suppressions.${key}`)),
  );
  const rows = noes.map((one) => el("tr", { class: one.lifted_at ? "gone" : "" }, ...cells(one)));
  return scrolling(
    t("suppressions.title"),
    el("table", {}, el("thead", {}, el("tr", {}, ...heads, el("td", {}))), el("tbody", {}, ...rows)),
  );
}

function cells(one) {
  const purpose = one.purpose
    ? el("span", { class: "soft block" }, said("rules.words.purpose", one.purpose))
    : null;
  const how = one.list
    ? t("suppressions.list", { list: one.list })
    : one.heard
      ? said("suppressions.heard", one.heard)
      : "";
  const state = one.lifted_at
    ? el("span", { class: "badge" }, t("suppressions.lifted_at", { when: date(one.lifted_at) }))
    : el("span", { class: "badge good" }, t("suppressions.in_force"));
  const lift = el(
    "button",
    { type: "button", class: "quiet", onclick: () => ask(one.id, said("suppressions.scope", one.scope)) },
    t("suppressions.lift"),
  );
  const undoButton = el(
    "button",
    { type: "button", class: "quiet", onclick: () => undo(one.id) },
    t("suppressions.undo"),
  );
  const waits =
    one.waits && !one.lifted_at ? el("span", { class: "badge warn" }, t("suppressions.waits")) : null;
  return [
    el("th", { scope: "row" }, said("suppressions.scope", one.scope), purpose),
    el("td", {}, dateTime(one.at)),
    el("td", {}, said("suppressions.by", one.by)),
    el("td", {}, how),
    el("td", {}, state, waits),
    el("td", {}, one.undoable ? undoButton : null, mayLift && !one.lifted_at && !one.waits ? lift : null),
  ];
}

function undo(id) {
  confirm(t("suppressions.undo"), t("suppressions.undo_sure"), {
    go: t("suppressions.undo"),
    does: async () => {
      draw(await post("/suppressions/undo", { number: asked, id }));
      toast(t("suppressions.undone"), "good");
    },
  });
}

function ask(id, what) {
  lifting = id;
  $("#lift-what").textContent = what;
  $("#lift form").reset();
  show($("#lift .wrong"), false);
  $("#lift").showModal();
}

onSubmit($("#search"), async (given) => {
  asked = given.number;
  draw(await post("/suppressions/search", { number: asked }));
});

$("#add [name=scope]").addEventListener("change", (event) =>
  show($("#purpose"), event.target.value === "org"),
);
onSubmit($("#add"), async ({ scope, purpose, heard }) => {
  const body = { number: asked, scope, heard, purpose: scope === "org" && purpose ? purpose : null };
  draw(await post("/suppressions", body));
  toast(t("suppressions.added"), "good");
});

if (mayLift) {
  $("#lift-all").addEventListener("click", () => ask(null, t("suppressions.lift_hint")));
  $("#lift-cancel").addEventListener("click", () => $("#lift").close());
  onSubmit($("#lift form"), async (given) => {
    const found = await post("/suppressions/lift", { number: asked, id: lifting, ...given });
    $("#lift").close();
    toast(t("suppressions.lift_proposed"), "good");
    draw(found);
    await lifts();
  });
  await lifts();
}

// -- registers ------------------------------------------------------------------------------------

async function registers() {
  const { registers: found, most_days: most, missing } = await get("/registers");
  const hint =
    most === null ? t("suppressions.registers_free") : t("suppressions.registers_hint", { days: most });
  const heads = ["register", "issued", "age", "size"].map((key) =>
    el("th", { scope: "col", class: key === "size" ? "number" : "" }, t(`suppressions.${key}`)),
  );
  const rows = found.map((one) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, one.name),
      el("td", {}, date(one.issued_at)),
      el("td", {}, t("suppressions.days", { days: one.days_old }), " ", age(one, most)),
      el("td", { class: "number" }, number(one.size)),
    ),
  );
  $("#registers").replaceChildren(
    el("p", { class: "soft" }, hint),
    missing.length
      ? el("p", { class: "note bad" }, t("suppressions.registers_missing", { names: missing.join(", ") }))
      : "",
    rows.length
      ? scrolling(
          t("suppressions.registers"),
          el("table", {}, el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...rows)),
        )
      : el("p", {}, t("suppressions.no_registers")),
  );
}

function age(one, most) {
  if (!one.active) return el("span", { class: "badge" }, t("suppressions.old_issue"));
  if (one.stale) return el("span", { class: "badge bad" }, t("suppressions.stale"));
  if (most === null) return "";
  const left = most - one.days_old;
  return el(
    "span",
    { class: `badge ${left < 14 ? "warn" : "good"}` },
    t("suppressions.days_left", { days: left }),
  );
}

imports(registers);
await registers();
