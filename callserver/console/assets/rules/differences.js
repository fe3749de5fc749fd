// The list of what becomes looser, and differences line by line.

import { get } from "../api.js";
import { el, scrolling } from "../dom.js";
import { list, number, t } from "../texts.js";

export function value(raw) {
  if (raw === null || raw === undefined) return t("rules.nothing");
  if (raw === true) return t("page.yes");
  if (raw === false) return t("page.no");
  if (typeof raw === "number") return number(raw);
  if (Array.isArray(raw)) return raw.length ? raw.map(value).join(", ") : t("page.none");
  if (typeof raw === "object") {
    return Object.entries(raw)
      .map(([key, part]) => `${key} ${value(part)}`)
      .join(", ");
  }
  return String(raw);
}

// The same loosening in several files is one entry: policies extend one another.
export function looserList(loosenings) {
  const grouped = new Map();
  for (const loosening of loosenings) {
    const key = JSON.stringify([loosening.text, loosening.key, loosening.was, loosening.would]);
    if (!grouped.has(key)) grouped.set(key, { ...loosening, files: [] });
    grouped.get(key).files.push(loosening.file);
  }
  return el(
    "ul",
    { class: "looser" },
    ...[...grouped.values()].map((loosening) =>
      el(
        "li",
        {},
        el("strong", {}, t(loosening.text)),
        el(
          "span",
          { class: "values" },
          t("rules.was_would", { was: value(loosening.was), would: value(loosening.would) }),
        ),
        el(
          "span",
          { class: "soft" },
          el("code", {}, loosening.key),
          " ",
          t("rules.in_files", { files: list(loosening.files) }),
        ),
      ),
    ),
  );
}

const SIGN_TEXTS = { "-": "rules.removed_line", "+": "rules.added_line" };

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
  const signText = SIGN_TEXTS[sign] ? el("span", { class: "sr" }, t(SIGN_TEXTS[sign])) : null;
  return el(
    "tr",
    { class: kind },
    el("td", { class: "number" }, line ?? ""),
    el("td", { class: "sign" }, signText, el("span", { "aria-hidden": "true" }, sign)),
    el("td", {}, el("code", {}, text)),
  );
}

export const proposalsDiff = async (id) => diffView((await get(`/rules/proposals/${id}`)).diff);
