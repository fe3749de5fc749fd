// Applicants: what each has gone through, the words about the role-play call, and the decision.

import { post } from "../api.js";
import { ask, confirm, field } from "../dialog.js";
import { el, onPress, scrolling, toast } from "../dom.js";
import { showSecret } from "../secret.js";
import { date, label, list, t } from "../texts.js";
import { departments } from "./interviews.js";
import { begin } from "./role_play.js";

const COLUMNS = ["name", "department", "state"];
const STATES = { open: "", accepted: "good", rejected: "" };

export function adding(data, act) {
  const name = el("input", { maxlength: "100", required: true, autocomplete: "off" });
  const fields = [
    el("p", { class: "soft" }, t("applicants.add_hint")),
    field("name", t("applicants.name"), name),
    field("department", t("applicants.department"), departments(data)),
  ];
  ask(t("applicants.add"), fields, {
    go: t("applicants.add"),
    does: async (values) => {
      await act("/applicants", values);
      toast(t("applicants.added", { name: values.name }), "good");
    },
  });
}

export function people(data, decided, act, refresh) {
  const shown = data.applicants.filter(({ state }) => decided || state === "open");
  if (!shown.length) return el("p", {}, t(decided ? "applicants.none_decided" : "applicants.none"));
  const heads = COLUMNS.map((key) => el("th", { scope: "col" }, t(`applicants.${key}`)));
  return scrolling(
    t("applicants.people"),
    el(
      "table",
      {},
      el("thead", {}, el("tr", {}, ...heads, el("td", {}))),
      el("tbody", {}, ...shown.map((applicant) => row(applicant, data, act, refresh))),
    ),
  );
}

function row(applicant, data, act, refresh) {
  const button = (key, kind, work) => {
    const text = t(`applicants.${key}`);
    const element = el(
      "button",
      {
        type: "button",
        class: kind,
        "data-key": `${key}-${applicant.id}`,
        "aria-label": t("page.of", { label: text, name: applicant.name }),
      },
      text,
    );
    onPress(element, work);
    return element;
  };
  const open = applicant.state === "open";
  const played = !applicant.missing.includes("role_play");
  return el(
    "tr",
    { "data-applicant": applicant.id },
    el("th", { scope: "row" }, applicant.name),
    el("td", {}, label(data.departments[applicant.department])),
    el("td", {}, ...states(applicant)),
    el(
      "td",
      { class: "acts" },
      open && !data.role_play && data.campaigns.length
        ? button("play", "quiet", () => begin(applicant, data, refresh))
        : null,
      (open && played) || applicant.form.length
        ? button("form", "quiet", () => form(applicant, data, act))
        : null,
      open && !applicant.missing.length ? button("accept", "quiet", () => accept(applicant, refresh)) : null,
      open ? button("reject", "quiet", () => reject(applicant, act)) : null,
      button("delete", "quiet", () => remove(applicant, act)),
    ),
  );
}

function states({ state, missing, deleted_from }) {
  const badge = (text, kind = "") => el("span", { class: `badge ${kind}` }, text);
  if (state !== "open")
    return [
      badge(t(`applicants.state.${state}`), STATES[state]),
      el("p", { class: "soft" }, t("applicants.deleted_from", { date: date(deleted_from) })),
    ];
  if (!missing.length) return [badge(t("applicants.ready"), "good")];
  const steps = list(missing.map((step) => t(`applicants.step.${step}`)));
  return [t("applicants.missing", { steps })];
}

// Written by the interviewer; read only once it has been decided.
function form(applicant, data, act) {
  const written = applicant.form_by
    ? [
        el(
          "p",
          { class: "soft" },
          t("applicants.form_read", { name: applicant.form_by, date: date(applicant.form_at) }),
        ),
      ]
    : [];
  if (applicant.state !== "open") {
    const answers = applicant.form.flatMap(({ question, answer }) => [
      el("dt", {}, label(question)),
      el("dd", {}, answer),
    ]);
    ask(applicant.name, [...written, el("dl", { class: "answers" }, ...answers)], {
      go: t("page.close"),
      does: async () => {},
    });
    return;
  }
  const before = new Map(applicant.form.map(({ question, answer }) => [question.en, answer]));
  const fields = data.questions.map((question, at) =>
    field(
      `answer-${at}`,
      label(question),
      el("textarea", { maxlength: "4000", required: true }, before.get(question.en) ?? ""),
    ),
  );
  const title = t("page.of", { label: t("applicants.form"), name: applicant.name });
  ask(title, [el("p", { class: "soft" }, t("applicants.form_text")), ...written, ...fields], {
    keeps: `applicants.form.${applicant.id}.${applicant.form_at}`, // not over what a colleague has written since
    does: async (values) => {
      const answers = data.questions.map((_, at) => values[`answer-${at}`]);
      await act(`/applicants/${applicant.id}/form`, { answers });
      toast(t("applicants.form_saved"), "good");
    },
  });
}

function accept(applicant, refresh) {
  const { name } = applicant;
  const handle = el("input", {
    maxlength: "40",
    required: true,
    pattern: "[a-z0-9][a-z0-9._\\-]{0,39}",
    "data-wrong": t("error.staff_handle"),
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
  });
  const fields = [
    el("p", {}, t("applicants.accept_text", { name })),
    field("handle", t("applicants.handle"), handle),
  ];
  ask(t("page.of", { label: t("applicants.accept"), name }), fields, {
    go: t("applicants.accept"),
    does: async (values) => {
      const { secret } = await post(`/applicants/${applicant.id}/accept`, values);
      toast(t("applicants.accepted", { name }), "good");
      showSecret(secret, t("accounts.password_text", { name }));
      await refresh();
    },
  });
}

function reject(applicant, act) {
  const { id, name } = applicant;
  confirm(t("page.of", { label: t("applicants.reject"), name }), t("applicants.reject_text", { name }), {
    go: t("applicants.reject"),
    bad: true,
    does: async () => {
      await act(`/applicants/${id}/reject`);
      toast(t("applicants.rejected", { name }));
    },
  });
}

function remove(applicant, act) {
  const { id, name } = applicant;
  confirm(t("page.of", { label: t("applicants.delete"), name }), t("applicants.delete_text", { name }), {
    go: t("applicants.delete"),
    bad: true,
    does: async () => {
      await act(`/applicants/${id}/delete`);
      toast(t("applicants.deleted"));
    },
  });
}
