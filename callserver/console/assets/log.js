// The audit log: searched page by page, and its seals checked.

import { post } from "./api.js";
import { $, el, onPress, onSubmit, passFocus, show } from "./dom.js";
import { dateTime, t } from "./texts.js";

let asked = {};
let before = null;

const instant = (text) => (text ? new Date(text).toISOString() : undefined);

function row(entry) {
  const held = Object.entries(entry.details).filter(([, value]) => value !== null);
  const details = held.map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return el(
    "tr",
    {},
    el("td", { class: "at" }, el("time", { datetime: entry.at }, dateTime(entry.at))),
    el("td", {}, entry.said),
    el("td", {}, el("code", {}, details.join("  "))),
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
