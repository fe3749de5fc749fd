// Importing files of numbers: a list of opt-outs, the new issue of a register, or consents.

import { $, el, onSubmit, show, toast } from "../dom.js";
import { instantOf } from "../home.js";
import { progressBar, stream } from "../stream.js";
import { list, number, t } from "../texts.js";

const COUNTS = ["read", "added", "unchanged", "duplicates", "refused"];
const OF_CONSENTS = ["read", "given", "revoked", "unchanged", "refused"];

function figures(result, caption, counts) {
  const rows = counts.map((name) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, t(`suppressions.count.${name}`)),
      el("td", { class: "number" }, number(result[name])),
    ),
  );
  return [
    el("table", { class: "figures" }, el("caption", {}, caption), el("tbody", {}, ...rows)),
    result.people
      ? el(
          "p",
          {},
          t("suppressions.compared", {
            listed: number(result.people.listed),
            unsure: number(result.people.unsure),
            clear: number(result.people.clear),
          }),
        )
      : null,
    result.above ? el("p", { class: "note" }, t("import.above", { lines: result.above })) : null,
    result.encoding
      ? el("p", { class: "note" }, t("suppressions.encoding", { encoding: result.encoding }))
      : null,
    result.named ? el("p", {}, t("suppressions.named", { count: result.named })) : null,
    result.refused
      ? el(
          "div",
          { class: "wrong", role: "alert" },
          el("p", {}, t("suppressions.left_over", { count: number(result.refused) })),
          result.unrecognised
            ? el("p", {}, t("suppressions.unrecognised", { count: result.unrecognised }))
            : null,
          el("p", {}, t("suppressions.refused_lines", { lines: list(result.first_refused.map(number)) })),
        )
      : null,
  ].filter(Boolean);
}

function form(selector, address, caption, done, counts = COUNTS) {
  const formElement = $(selector);
  if (!formElement) return;
  onSubmit(formElement, async ({ file, issued_at: issued, ...values }) => {
    const answer = $(".answer", formElement);
    const { element, update } = progressBar();
    answer.replaceChildren(element);
    try {
      const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
      if (issued) query.set("issued_at", instantOf(issued));
      const headers = { "content-type": "application/octet-stream" };
      const result = await stream(`${address}?${query}`, file, update, headers);
      answer.replaceChildren(...figures(result, t(caption), counts));
      formElement.reset();
      if (!result.refused) toast(t(caption), "good");
      await done();
    } catch (error) {
      answer.replaceChildren();
      throw error;
    }
  });
}

export function imports(registers) {
  form("#import-list", "/suppressions/import", "suppressions.came_in", async () => {});
  form("#import-consents", "/consents/import", "suppressions.consents_done", async () => {}, OF_CONSENTS);
  form("#import-register", "/registers/import", "suppressions.register_done", registers);
  show($("#result"), false);
}
