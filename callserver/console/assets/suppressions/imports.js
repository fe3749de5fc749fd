// Files of numbers: a list of noes, or a register's new issue.

import { $, el, onSubmit, show, toast } from "../dom.js";
import { progressBar, stream } from "../stream.js";
import { number, t } from "../texts.js";

const COUNTS = ["read", "added", "unchanged", "duplicates", "refused"];

function figures(found, caption) {
  const rows = COUNTS.map((name) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, t(`suppressions.count.${name}`)),
      el("td", { class: "number" }, number(found[name])),
    ),
  );
  return [
    el("table", { class: "figures" }, el("caption", {}, caption), el("tbody", {}, ...rows)),
    found.encoding
      ? el("p", { class: "note" }, t("suppressions.encoding", { encoding: found.encoding }))
      : null,
    found.refused
      ? el(
          "div",
          { class: "wrong", role: "alert" },
          el("p", {}, t("suppressions.left_over", { count: number(found.refused) })),
          el("p", {}, t("suppressions.refused_lines", { lines: found.first_refused.map(number).join(", ") })),
        )
      : null,
  ].filter(Boolean);
}

function form(selector, address, caption, done) {
  const found = $(selector);
  if (!found) return;
  onSubmit(found, async ({ file, issued_at: issued, ...given }) => {
    const answer = $(".answer", found);
    const { element, tell } = progressBar();
    answer.replaceChildren(element);
    try {
      const query = new URLSearchParams(Object.entries(given).filter(([, value]) => value));
      if (issued) query.set("issued_at", new Date(issued).toISOString());
      const headers = { "content-type": "application/octet-stream" };
      const came = await stream(`${address}?${query}`, file, tell, headers);
      answer.replaceChildren(...figures(came, t(caption)));
      found.reset();
      if (!came.refused) toast(t(caption), "good");
      await done();
    } catch (error) {
      answer.replaceChildren();
      throw error;
    }
  });
}

export function imports(registers) {
  form("#import-list", "/suppressions/import", "suppressions.came_in", async () => {});
  form("#import-register", "/registers/import", "suppressions.register_done", registers);
  show($("#found"), false);
}
