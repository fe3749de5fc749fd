// The text of one file with line numbers, and a list of its problems.

import { $, el, show } from "../dom.js";
import { t } from "../texts.js";

const area = $("#text");
const gutter = $("#gutter");
const lineProblems = $("#line-problems");

export function editor({ writable, onInput }) {
  area.readOnly = !writable;
  let problems = [];

  function draw() {
    const wrong = new Set(problems.map((problem) => problem.line));
    const count = area.value.split("\n").length;
    gutter.replaceChildren(
      ...Array.from({ length: count }, (_, at) =>
        el("span", { class: wrong.has(at + 1) ? "bad" : "" }, `${at + 1}\n`),
      ),
    );
    gutter.scrollTop = area.scrollTop;
    lineProblems.replaceChildren(
      ...problems.map((problem) =>
        el(
          "li",
          {},
          el(
            "button",
            { type: "button", class: "quiet", onclick: () => goTo(problem.line) },
            `${problem.line}`,
          ),
          " ",
          el("code", {}, problem.key),
          " ",
          problem.why,
        ),
      ),
    );
    area.setAttribute("aria-invalid", problems.length ? "true" : "false");
    show(lineProblems, problems.length > 0);
  }

  function goTo(line) {
    const lines = area.value.split("\n");
    const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    area.focus();
    area.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
    area.scrollTop = Math.max(0, (line - 4) * (area.scrollHeight / lines.length));
  }

  area.addEventListener("scroll", () => (gutter.scrollTop = area.scrollTop));
  area.addEventListener("input", () => {
    draw();
    onInput(area.value);
  });

  return {
    open(path, text) {
      area.setAttribute("aria-label", t("rules.file_of", { path }));
      if (area.value !== text) {
        area.value = text; // otherwise the caret keeps its place
        area.scrollTop = 0;
      }
      area.rows = Math.min(28, Math.max(8, text.split("\n").length + 1));
      problems = [];
      draw();
    },
    problems(list) {
      problems = list;
      draw();
    },
    goTo,
  };
}
