// People who may be on a register of names and addresses: both records side by side, and the decision.

import { get, post } from "../api.js";
import { $, el, onPress, passFocus, show, toast } from "../dom.js";
import { label, number, t } from "../texts.js";

function record(caption, lines) {
  return el(
    "div",
    { class: "record" },
    el("h4", {}, caption),
    ...lines.map(([name, address, postal, note]) =>
      el(
        "p",
        {},
        el("strong", {}, name || t("suppressions.no_name")),
        el("span", { class: "block" }, address || t("suppressions.unsure_no_address")),
        postal ? el("span", { class: "block" }, postal) : null,
        note ? el("span", { class: "badge" }, note) : null,
      ),
    ),
  );
}

function decision(person, listed, item) {
  const button = el(
    "button",
    { type: "button", class: listed ? "main" : "quiet" },
    t(listed ? "suppressions.unsure_yes" : "suppressions.unsure_no"),
  );
  onPress(button, async () => {
    show($("#unsure-wrong"), false);
    try {
      await post("/registers/decide", { contact: person.contact, listed, state: person.state });
      toast(t(listed ? "suppressions.unsure_decided_yes" : "suppressions.unsure_decided_no"), "good");
    } catch (error) {
      $("#unsure-wrong").textContent = error.message;
      show($("#unsure-wrong"));
      return;
    }
    const next = item.nextElementSibling ?? item.previousElementSibling;
    item.remove();
    if (next === null) await load();
    passFocus(button, next === null ? $("#unsure-title") : $("h3", next));
  });
  return button;
}

function personItem(person) {
  const name = person.own[0].name || t("suppressions.no_name");
  const entries = person.entries.map((entry) => [
    entry.name.replace(",", ", "),
    [entry.address, entry.place].filter(Boolean).join(", "),
    entry.postal,
    entry.is_former ? t("suppressions.unsure_former") : "",
  ]);
  const item = el("li", {}, el("h3", { tabindex: "-1" }, t("suppressions.unsure_question", { name })));
  item.append(
    el(
      "div",
      { class: "columns" },
      record(
        t("suppressions.unsure_ours"),
        person.own.map((own) => [own.name, own.address, own.postcode, label(own.title)]),
      ),
      record(t("suppressions.unsure_theirs", { register: person.register_name }), entries),
    ),
    ...(person.more
      ? [el("p", { class: "soft" }, t("suppressions.unsure_more", { count: person.more }))]
      : []),
    el("div", { class: "row" }, decision(person, true, item), decision(person, false, item)),
  );
  return item;
}

async function load() {
  const { people, unsure, incomparable, most } = await get("/registers/unsure");
  $("#unsure").replaceChildren(
    ...[
      people.length
        ? el("p", {}, t("suppressions.unsure_count", { count: unsure, most: number(most) }))
        : el("p", { class: "soft" }, t("suppressions.unsure_none")),
      incomparable
        ? el("p", { class: "note" }, t("suppressions.unsure_incomparable", { count: incomparable }))
        : null,
      people.length ? el("ul", { class: "unsure" }, ...people.map(personItem)) : null,
    ].filter(Boolean),
  );
}

export function unsurePeople() {
  if (!$("#unsure-card")) return;
  onPress($("#unsure-show"), async () => {
    show($("#unsure-wrong"), false);
    try {
      await load();
    } catch (error) {
      $("#unsure-wrong").textContent = error.message;
      show($("#unsure-wrong"));
    }
  });
}
