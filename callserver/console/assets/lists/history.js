// The imports of the past, and the rows that they refused.

import { download } from "../api.js";
import { $, el, scrolling } from "../dom.js";
import { dateTime, number, t } from "../texts.js";

// What was imported earlier; `mayImport`: whether rows may be fetched.
export function history({ imports: found }, titles, mayImport) {
  if (!found.length) {
    $("#history").replaceChildren(el("p", { class: "soft" }, t("lists.no_history")));
    return;
  }
  const names = ["read", "taken", "changed", "unchanged", "duplicates", "refused"];
  const head = ["lists.when", "lists.campaign", "lists.who"].map((key) => el("th", { scope: "col" }, t(key)));
  const heads = names.map((name) => el("th", { scope: "col", class: "number" }, t(`lists.count.${name}`)));
  const rows = found.map((one) =>
    el(
      "tr",
      {},
      el("td", {}, dateTime(one.at)),
      el("td", {}, titles[one.campaign] ?? one.campaign),
      el("td", {}, one.by === "command" ? t("lists.by_command") : one.by),
      ...names.map((name) =>
        el(
          "td",
          { class: "number" },
          number(one.counts[name] ?? 0),
          name === "refused" ? refusedLink(one, mayImport) : null,
        ),
      ),
    ),
  );
  $("#history").replaceChildren(
    scrolling(
      t("lists.history"),
      el("table", {}, el("thead", {}, el("tr", {}, ...head, ...heads)), el("tbody", {}, ...rows)),
    ),
  );
}

function refusedLink(one, mayImport) {
  if (!one.counts.refused) return null;
  if (!mayImport || !one.refused_kept)
    return el("span", { class: "soft block" }, one.refused_kept ? "" : t("lists.refused_gone"));
  return el(
    "button",
    { type: "button", class: "quiet block", onclick: () => download(`/imports/${one.id}/refused`) },
    t("lists.get_refused"),
  );
}
