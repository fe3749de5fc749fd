// The audit log: searched page by page, and its seals checked.

import { post } from "./api.js";
import "./dates.js";
import { $, el, onPress, onSubmit, passFocus, show } from "./dom.js";
import { dateTime, has, number, t } from "./texts.js";

let asked = {};
let before = null;

const instant = (text) => (text ? new Date(text).toISOString() : undefined);

// Where the words for a field's values stand.
const WORDS = {
  state: ["floor.state", "log.state"],
  reason: ["log.reason", "reason", "phone.pause"],
  reasons: ["reason"],
  path: ["path"],
  mode: ["listen_mode"],
  why: ["listen_why"],
  scope: ["suppressions.scope"],
};

function words(field, value) {
  if (Array.isArray(value)) return value.map((one) => words(field, one)).join(", ");
  if (typeof value === "boolean") return t(value ? "page.yes" : "page.no");
  if (typeof value === "number") return number(value);
  const family = WORDS[field]?.find((one) => has(`${one}.${value}`));
  if (family) return t(`${family}.${value}`);
  return /^\d{4}-\d\d-\d\dT/.test(value) ? dateTime(value) : String(value);
}

const withoutNothing = (_, value) => value ?? undefined;

// What the entry says, as far as there are words for it; the whole of it is unfolded below.
function details({ details: held, names }) {
  const said = Object.entries(held).filter(
    ([field, value]) => value !== null && value !== "" && has(`log.field.${field}`),
  );
  const pairs = said.map(
    ([field, value]) => `${t(`log.field.${field}`)}: ${names[field] ?? words(field, value)}`,
  );
  return el(
    "div",
    {},
    el("p", {}, pairs.join(" · ")),
    el(
      "details",
      {},
      el("summary", {}, t("log.whole_entry")),
      el("code", {}, JSON.stringify(held, withoutNothing)),
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

async function turn() {
  const found = await post("/log", before === null ? asked : { ...asked, before });
  $("#entries").append(...found.entries.map(row));
  before = found.before;
  show($("#found"));
  show($("#more"), before !== null);
  show($("#empty"), $("#entries").children.length === 0);
}

async function search(given) {
  asked = {
    kinds: given.kind ? [given.kind] : [],
    since: instant(given.since),
    until: instant(given.until),
    contact: given.contact ? Number(given.contact) : undefined,
    call: given.call.trim() || undefined,
  };
  before = null;
  $("#entries").replaceChildren();
  await turn();
}

onSubmit($("#search"), search);
onPress($("#more"), async () => {
  await turn();
  passFocus($("#more"), $("#found .scroll"));
});

onPress($("#verify"), async () => {
  const verdict = $("#verdict");
  verdict.replaceChildren(el("p", {}, t("log.verifying")));
  try {
    const found = await post("/log/verify");
    verdict.replaceChildren(
      found.findings.length
        ? el(
            "div",
            { class: "wrong" },
            el("p", {}, t("log.broken", { count: found.findings.length, sealed: found.sealed })),
            el("ul", {}, ...found.findings.map((one) => el("li", {}, one))),
          )
        : el("p", { class: "badge good" }, t("log.whole", found)),
    );
  } catch (error) {
    verdict.replaceChildren(el("p", { class: "wrong" }, error.message));
  }
});
