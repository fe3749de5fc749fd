// One notice: its text, the question box of a talk, the questions for those who arrange it.

import { get, post } from "../api.js";
import { confirm } from "../dialog.js";
import { el, onPress, toast } from "../dom.js";
import { label, t } from "../texts.js";
import { confirmation, onConfirmedSubmit } from "./confirmed.js";
import { whenOf } from "./when.js";

export function item(notice, departments, { change, drawn }) {
  const html = el("div", { class: "prose" });
  html.innerHTML = notice.html; // rendered by the server; HTML in a notice's text is escaped
  const about = [
    whenOf(notice),
    notice.expert ? t("notices.expert", { name: notice.expert }) : null,
    notice.department
      ? t("notices.for", { department: departmentOf(notice, departments) })
      : t("notices.for_all"),
  ];
  return el(
    "article",
    { id: `notice-${notice.id}`, "aria-labelledby": `title-${notice.id}`, tabindex: "-1" },
    el("span", { class: "badge" }, t(`notices.kind.${notice.kind}`)),
    el("h3", { id: `title-${notice.id}` }, notice.title),
    el("p", { class: "soft" }, about.filter(Boolean).join(" · ")),
    html,
    notice.kind === "talk" ? questionBox(notice) : null,
    notice.questions === null ? null : questions(notice),
    el("p", { class: "soft" }, t("notices.by", { name: notice.by })),
    notice.text === null ? null : tools(notice, change, drawn),
  );
}

const departmentOf = (notice, departments) =>
  departments[notice.department] ? label(departments[notice.department]) : notice.department;

function tools(notice, change, drawn) {
  const edit = el(
    "button",
    { type: "button", "aria-label": t("page.of", { label: t("notices.change"), name: notice.title }) },
    t("notices.change"),
  );
  onPress(edit, () => change(notice));
  const remove = el(
    "button",
    {
      type: "button",
      class: "quiet",
      "aria-label": t("page.of", { label: t("notices.remove"), name: notice.title }),
      "data-key": "list",
    },
    t("notices.remove"),
  );
  onPress(remove, () =>
    confirm(t("notices.remove"), t("notices.remove_sure", { title: notice.title }), {
      go: t("notices.remove"),
      bad: true,
      does: async () => {
        drawn(await post(`/notices/${notice.id}/remove`));
        toast(t("notices.removed"));
      },
    }),
  );
  return el("div", { class: "row" }, edit, remove);
}

function questionBox(notice) {
  if (!notice.takes_questions) return el("p", { class: "soft" }, t("notices.closed"));
  const text = el("textarea", { name: "text", maxlength: 2000, required: true });
  const form = el(
    "form",
    { autocomplete: "off" },
    el("p", { class: "soft" }, t("notices.ask_hint")),
    el("label", {}, t("notices.question"), text),
    el(
      "label",
      { class: "inline" },
      el("input", { type: "checkbox", name: "anonymous" }),
      t("notices.anonymous"),
    ),
    el("p", { class: "wrong", role: "alert", hidden: true }),
    confirmation(),
    el("div", { class: "row go" }, el("button", {}, t("notices.ask"))),
  );
  onConfirmedSubmit(form, async ({ text: asked, has_no_number }) => {
    const body = { text: asked, anonymous: form.anonymous.checked, has_no_number };
    await post(`/notices/${notice.id}/questions`, body);
    form.reset();
    toast(t("notices.asked"), "good");
  });
  return el("details", {}, el("summary", {}, t("notices.questions")), form);
}

// For those who arrange the talk; fetched when they are opened.
function questions(notice) {
  if (!notice.questions) return el("p", { class: "soft" }, t("notices.no_questions"));
  const box = el("ul", { class: "plain" });
  const open = el(
    "button",
    { type: "button", "aria-label": t("page.of", { label: questionsOf(notice), name: notice.title }) },
    questionsOf(notice),
  );
  onPress(open, async () => {
    const fetched = await get(`/notices/${notice.id}/questions`);
    const items = fetched.questions.map(({ text, sender }) =>
      el(
        "li",
        {},
        el(
          "span",
          { class: "soft" },
          sender ? t("notices.sender", { name: sender }) : t("notices.no_sender"),
        ),
        el("p", { class: "said" }, text),
      ),
    );
    box.replaceChildren(...items);
  });
  return el("div", { "aria-live": "polite" }, open, box);
}

const questionsOf = ({ questions: count }) => t("notices.show_questions", { count });
