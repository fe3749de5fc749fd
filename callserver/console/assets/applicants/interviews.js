// Group interviews: planned, with their participants, and who was present.

import { dateInput } from "../dates.js";
import { ask, confirm, field } from "../dialog.js";
import { el, onPress, onSubmit, toast } from "../dom.js";
import { instantOf } from "../home.js";
import { dateTime, label, t } from "../texts.js";

export const departments = (data) =>
  el(
    "select",
    { required: true },
    ...Object.entries(data.departments).map(([value, title]) => el("option", { value }, label(title))),
  );

export function planning(data, act) {
  const modules = [1, 2].map((value) => el("option", { value }, t(`applicants.module.${value}`)));
  const fields = [
    field("module", t("applicants.module"), el("select", {}, ...modules)),
    field("at", t("applicants.at"), dateInput("moment", { required: true })),
    field("department", t("applicants.department"), departments(data)),
  ];
  ask(t("applicants.plan"), fields, {
    go: t("applicants.plan"),
    does: async ({ module, at, department }) => {
      await act("/interviews", { module: Number(module), at: instantOf(at), department });
      toast(t("applicants.planned"), "good");
    },
  });
}

export function interviews(data, act) {
  if (!data.interviews.length) return [el("p", {}, t("applicants.no_interviews"))];
  return data.interviews.map((interview) => one(interview, data, act));
}

function one(interview, data, act) {
  const at = dateTime(interview.at);
  const heading = el(
    "h3",
    {},
    t("applicants.one", { module: t(`applicants.module.${interview.module}`), when: at }),
  );
  const cancel = el(
    "button",
    {
      type: "button",
      class: "quiet",
      "data-key": `cancel-${interview.id}`,
      "aria-label": t("page.of", { label: t("applicants.cancel"), name: at }),
    },
    t("applicants.cancel"),
  );
  onPress(cancel, () =>
    confirm(t("applicants.cancel"), t("applicants.cancel_sure", { when: at }), {
      go: t("applicants.cancel"),
      bad: true,
      does: async () => {
        await act(`/interviews/${interview.id}/cancel`);
        toast(t("applicants.cancelled"));
      },
    }),
  );
  const took = interview.participants.some(({ present }) => present);
  const here = new Map(data.applicants.map((applicant) => [applicant.id, applicant]));
  const participants = interview.participants.filter(({ applicant }) => here.has(applicant));
  return el(
    "section",
    { class: "interview", "data-interview": interview.id },
    el("div", { class: "row apart" }, heading, took ? null : cancel),
    el("p", { class: "soft" }, label(data.departments[interview.department])),
    participants.length
      ? el(
          "ul",
          { "aria-label": t("applicants.participants") },
          ...participants.map((item) => participant(item, interview, here.get(item.applicant), act)),
        )
      : el("p", {}, t("applicants.no_participants")),
    interview.begun || !participants.length
      ? null
      : el("p", { class: "soft" }, t("applicants.presence_later")),
    inviting(interview, data, act),
  );
}

function participant({ present }, interview, applicant, act) {
  const open = applicant.state === "open";
  const button = (key, text, pressed, work) => {
    const element = el(
      "button",
      {
        type: "button",
        class: pressed === null ? "quiet" : "",
        "aria-pressed": pressed === null ? null : String(pressed),
        "aria-label": t("page.of", { label: t(text), name: applicant.name }),
        "data-key": `${key}-${interview.id}-${applicant.id}`,
      },
      t(text),
    );
    onPress(element, work);
    return element;
  };
  const note = (value) => () =>
    act(`/interviews/${interview.id}/present`, { applicant: applicant.id, present: value });
  return el(
    "li",
    {},
    el("span", { class: "name" }, applicant.name),
    open && interview.begun ? button("present", "applicants.present", present === true, note(true)) : null,
    open && interview.begun ? button("absent", "applicants.absent", present === false, note(false)) : null,
    open
      ? button("remove", "applicants.remove", null, () =>
          act(`/interviews/${interview.id}/remove`, { applicant: applicant.id }),
        )
      : null,
  );
}

function inviting(interview, data, act) {
  const invited = new Set(interview.participants.map(({ applicant }) => applicant));
  const others = data.applicants.filter(
    ({ id, state, department }) =>
      state === "open" && department === interview.department && !invited.has(id),
  );
  if (!others.length) return el("p", { class: "soft" }, t("applicants.nobody_to_invite"));
  const select = el(
    "select",
    { name: "applicant", required: true, "data-key": `whom-${interview.id}` },
    ...others.map(({ id, name }) => el("option", { value: id }, name)),
  );
  const form = el(
    "form",
    { class: "row" },
    el("label", {}, t("applicants.invite_whom"), select),
    el("button", { "data-key": `invite-${interview.id}` }, t("applicants.invite")),
  );
  onSubmit(form, ({ applicant }) =>
    act(`/interviews/${interview.id}/invite`, { applicant: Number(applicant) }),
  );
  return form;
}
