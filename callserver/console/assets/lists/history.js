// Earlier imports, with their refused rows to download. `mayImport`: whether the user may download them.

import { download, post } from "../api.js";
import { confirm } from "../dialog.js";
import { $, el, keepFocus, scrolling, toast } from "../dom.js";
import { dateTime, number, t } from "../texts.js";

export function history({ imports }, titles, mayImport) {
  if (!imports.length) {
    $("#history").replaceChildren(el("p", { class: "soft" }, t("lists.no_history")));
    return;
  }
  const names = ["read", "taken", "changed", "unchanged", "duplicates", "refused"];
  const head = ["lists.when", "lists.campaign", "lists.who"].map((key) => el("th", { scope: "col" }, t(key)));
  const heads = names.map((name) => el("th", { scope: "col", class: "number" }, t(`lists.count.${name}`)));
  const rows = imports.map((entry) =>
    el(
      "tr",
      {},
      el("td", {}, dateTime(entry.at)),
      el("td", {}, titles[entry.campaign] ?? entry.campaign),
      el("td", {}, entry.by === "command" ? t("lists.by_command") : entry.by),
      ...names.map((name) =>
        el(
          "td",
          { class: "number" },
          number(entry.counts[name] ?? 0),
          name === "refused" ? refusedLink(entry, mayImport) : null,
          name === "taken" ? rollBackButton(entry, mayImport) : null,
        ),
      ),
    ),
  );
  const table = scrolling(
    t("lists.history"),
    el("table", {}, el("thead", {}, el("tr", {}, ...head, ...heads)), el("tbody", {}, ...rows)),
  );
  keepFocus(() => $("#history").replaceChildren(table), $("#history-title"));
}

function rollBackButton(entry, mayImport) {
  const removed = entry.counts.rolled_back ?? 0;
  if (removed)
    return el("span", { class: "soft block" }, t("lists.was_rolled_back", { count: number(removed) }));
  if (!mayImport || !entry.counts.taken) return null;
  const does = async () => {
    const { removed, kept } = await post(`/imports/${entry.id}/roll-back`);
    toast(t("lists.rolled_back", { removed: number(removed), kept: number(kept) }));
  };
  return el(
    "button",
    {
      type: "button",
      class: "quiet block",
      "data-key": `roll-back-${entry.id}`,
      onclick: () =>
        confirm(t("lists.roll_back"), t("lists.roll_back_sure"), {
          go: t("lists.roll_back"),
          bad: true,
          does,
        }),
    },
    t("lists.roll_back"),
  );
}

function refusedLink(entry, mayImport) {
  if (!entry.counts.refused) return null;
  if (!mayImport || !entry.refused_kept)
    return el("span", { class: "soft block" }, entry.refused_kept ? "" : t("lists.refused_gone"));
  return el(
    "button",
    {
      type: "button",
      class: "quiet block",
      "data-key": `refused-${entry.id}`,
      onclick: () => download(`/imports/${entry.id}/refused`),
    },
    t("lists.get_refused"),
  );
}
