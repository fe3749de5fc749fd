// The log page: searching the entries page by page, and verifying the seals.

import { post } from "./api.js";
import "./dates.js";
import { $, el, onPress, onSubmit, passFocus, show } from "./dom.js";
import { instantOf } from "./home.js";
import { dateTime, has, number, t } from "./texts.js";

let query = {};
let before = null;
let searches = 0; // counts searches: only the pages of the latest are shown

const instant = (text) => (text ? instantOf(text) : undefined);

// Where the texts for a field's values are in the catalogue.
const WORDS = {
  by: ["log.by"],
  state: ["floor.state", "log.state"],
  reason: ["log.reason", "reason", "phone.pause"],
  reasons: ["reason"],
  path: ["path"],
  mode: ["listen_mode"],
  why: ["listen_why", "log.why"],
  what: ["person.look_up", "log.what"],
  role: ["role"],
  scope: ["suppressions.scope"],
};

// The reasons of a look-up have the same names as those of a listening.
const wordsOf = (kind, field) => (kind === "looked_up" && field === "why" ? WORDS.what : WORDS[field]);

const CODE = /^[a-z]+(_[a-z]+)*$/;

// A value in words; null: a code without a text, which only the whole entry shows.
function words(kind, field, value) {
  if (Array.isArray(value)) return value.map((item) => words(kind, field, item) ?? item).join(", ");
  if (typeof value === "boolean") return t(value ? "page.yes" : "page.no");
  if (typeof value === "number") return number(value);
  const family = wordsOf(kind, field)?.find((prefix) => has(`${prefix}.${value}`));
  if (family) return t(`${family}.${value}`);
  if (field in WORDS && CODE.test(value)) return null;
  return /^\d{4}-\d\d-\d\dT/.test(value) ? dateTime(value) : String(value);
}

const withoutNull = (_, value) => value ?? undefined;

// The fields that can be said in words; the complete entry can be unfolded below them.
function details({ kind, details: fields, names }) {
  const pairs = Object.entries(fields)
    .filter(([field, value]) => value !== null && value !== "" && has(`log.field.${field}`))
    .map(([field, value]) => [field, names[field] ?? words(kind, field, value)])
    .filter(([, name]) => name !== null)
    .map(([field, name]) => t("page.of", { label: t(`log.field.${field}`), name }));
  return el(
    "div",
    {},
    el("p", {}, pairs.join(" · ")),
    el(
      "details",
      {},
      el("summary", {}, t("log.whole_entry")),
      el("code", {}, JSON.stringify(fields, withoutNull)),
    ),
  );
}

function row(entry) {
  return el(
    "tr",
    {},
    el("td", { class: "at" }, el("time", { datetime: entry.at }, dateTime(entry.at))),
    el("td", {}, entry.said),
    el("td", {}, details(entry)),
    el("td", { class: "number" }, entry.leaf === null ? t("log.open") : String(entry.leaf)),
  );
}

async function nextPage() {
  const asked = searches;
  const page = await post("/log", before === null ? query : { ...query, before });
  if (asked !== searches) return;
  $("#entries").append(...page.entries.map(row));
  before = page.before;
  show($("#result"));
  show($("#more"), before !== null);
  show($("#empty"), $("#entries").children.length === 0);
}

async function search(values) {
  query = {
    kinds: values.kind ? [values.kind] : [],
    since: instant(values.since),
    until: instant(values.until),
    contact: values.contact ? Number(values.contact) : undefined,
    call: values.call.trim() || undefined,
  };
  before = null;
  searches += 1;
  $("#entries").replaceChildren();
  await nextPage();
}

onSubmit($("#search"), search);
onPress($("#more"), async () => {
  await nextPage();
  passFocus($("#more"), $("#result .scroll"));
});

onPress($("#verify"), async () => {
  const verdict = $("#verdict");
  verdict.replaceChildren(el("p", {}, t("log.verifying")));
  try {
    const result = await post("/log/verify");
    verdict.replaceChildren(
      result.findings.length
        ? el(
            "div",
            { class: "wrong" },
            el("p", {}, t("log.broken", { count: result.findings.length, sealed: result.sealed })),
            el("ul", {}, ...result.findings.map((finding) => el("li", {}, finding))),
          )
        : el("p", { class: "badge good" }, t("log.whole", result)),
    );
  } catch (error) {
    verdict.replaceChildren(el("p", { class: "wrong" }, error.message));
  }
});
