// What becomes looser, and a difference line by line.

import { get } from "../api.js";
import { el, scrolling } from "../dom.js";
import { number, t } from "../texts.js";

export function value(found) {
  if (found === null || found === undefined) return t("rules.nothing");
  if (found === true) return t("page.yes");
  if (found === false) return t("page.no");
  if (typeof found === "number") return number(found);
  if (Array.isArray(found)) return found.length ? found.map(value).join(", ") : t("page.none");
  if (typeof found === "object") {
    return Object.entries(found)
      .map(([key, one]) => `${key} ${value(one)}`)
      .join(", ");
  }
  return String(found);
}

// The same rule in several files is one line: policies extend one another.
export function looserList(found) {
  const grouped = new Map();
  for (const one of found) {
    const key = JSON.stringify([one.text, one.key, one.was, one.would]);
    if (!grouped.has(key)) grouped.set(key, { ...one, files: [] });
    grouped.get(key).files.push(one.file);
  }
  return el(
    "ul",
    { class: "looser" },
    ...[...grouped.values()].map((one) =>
      el(
        "li",
        {},
        el("strong", {}, t(one.text)),
        el(
          "span",
          { class: "values" },
          t("rules.was_would", { was: value(one.was), would: value(one.would) }),
        ),
        el(
          "span",
          { class: "soft" },
          el("code", {}, one.key),
          " ",
          t("rules.in_files", { files: one.files.join(", ") }),
        ),
      ),
    ),
  );
}

const SAID = { "-": "rules.removed_line", "+": "rules.added_line" };

export function diffView(diff) {
  return Object.entries(diff).map(([file, lines]) =>
    scrolling(
      t("rules.diff_caption", { file }),
      el("h3", {}, file),
      el(
        "table",
        { class: "diff" },
        el("caption", { class: "sr" }, t("rules.diff_caption", { file })),
        el("tbody", {}, ...lines.map(row)),
      ),
    ),
  );
}

function row({ sign, text, line }) {
  const kind = { "-": "gone", "+": "added", "…": "cut" }[sign] ?? "";
  const said = SAID[sign] ? el("span", { class: "sr" }, t(SAID[sign])) : null;
  return el(
    "tr",
    { class: kind },
    el("td", { class: "number" }, line ?? ""),
    el("td", { class: "sign" }, said, el("span", { "aria-hidden": "true" }, sign)),
    el("td", {}, el("code", {}, text)),
  );
}

export const proposalsDiff = async (id) => diffView((await get(`/rules/proposals/${id}`)).diff);
