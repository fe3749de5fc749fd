// For supervisors: how far each new phoner is, who has signed what, exercises and courses.

import { get, post } from "../api.js";
import { read } from "../dates.js";
import { ask, field } from "../dialog.js";
import { $, el, keepFocus, newest, onPress, onSubmit, scrolling, show } from "../dom.js";
import { date, label, list, t } from "../texts.js";

let team = { members: [], sessions: [], activities: {}, may_credit: false };

const owed = (member) => member.documents.filter((document) => document.state !== "signed");
const name = (id) => team.members.find((member) => member.id === id)?.name ?? t("training.left");
const activity = (key) => label(team.activities[key] ?? { da: key, en: key });

function standing(member) {
  if (member.role !== "phoner") return t(`role.${member.role}`);
  if (member.shift === null) return t("training.trained");
  return t("training.shift_title", { number: member.shift });
}

function missing(member) {
  const steps = [];
  if (member.shift === 2 && !member.heard) steps.push(t("training.step_listen"));
  if (member.shift === 3 && !member.talked_by_supervisor) steps.push(t("training.step_talk"));
  if (member.shift === 3 && !member.talked_by_phoner) steps.push(t("training.step_talk_phoner"));
  const titles = owed(member).map((document) => document.title);
  if (titles.length) steps.push(t("training.step_sign", { titles: list(titles) }));
  return steps.length
    ? el("ul", {}, ...steps.map((step) => el("li", {}, step)))
    : t("training.nothing_missing");
}

function button(key, text, member, does) {
  const made = el(
    "button",
    {
      type: "button",
      "data-key": `${key}-${member.id}`,
      "aria-label": t("page.of", { label: text, name: member.name }),
    },
    text,
  );
  onPress(made, does);
  return made;
}

function talk(member) {
  const words = el("textarea", { maxlength: "2000" });
  ask(t("training.talk_with", { name: member.name }), [field("words", t("training.talk_words"), words)], {
    go: t("training.talk_go"),
    keeps: `training.talk.${member.id}`,
    does: async (values) => {
      await post(`/training/phoners/${member.id}/talk`, { words: values.words });
      await refresh();
    },
  });
}

function credit(member) {
  const shifts = el(
    "select",
    {},
    ...[1, 2, 3]
      .filter((number) => number >= member.shift)
      .map((number) => el("option", { value: number }, t(`training.credit_${number}`))),
  );
  const reason = el("textarea", { required: true, maxlength: "500" });
  const fields = [
    el("p", {}, t("training.credit_text")),
    field("shifts", t("training.credit_shifts"), shifts),
    field("reason", t("training.credit_reason"), reason),
  ];
  ask(t("training.credit_of", { name: member.name }), fields, {
    go: t("training.credit"),
    does: async (values) => {
      await post(`/training/phoners/${member.id}/credit`, { ...values, shifts: Number(values.shifts) });
      await refresh();
    },
  });
}

function row(member) {
  const buttons = [
    member.shift === 3 && !member.talked_by_supervisor
      ? button("talk", t("training.talk"), member, () => talk(member))
      : null,
    member.shift !== null && team.may_credit
      ? button("credit", t("training.credit"), member, () => credit(member))
      : null,
  ].filter(Boolean);
  const credits = member.credits.map((given) =>
    el("p", { class: "soft small" }, t("training.credited", { count: given.shifts, reason: given.reason })),
  );
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, member.name),
    el("td", {}, standing(member), ...credits),
    el("td", {}, missing(member)),
    el("td", {}, el("div", { class: "row" }, ...buttons)),
  );
}

function drawMembers() {
  const heads = ["name", "standing", "missing", "act"].map((key) =>
    el(
      "th",
      { scope: "col" },
      key === "act" ? el("span", { class: "sr" }, t("training.act")) : t(`training.col_${key}`),
    ),
  );
  const ordered = [...team.members].sort((a, b) => (a.shift === null) - (b.shift === null)); // new phoners first
  $("#members").replaceChildren(
    scrolling(
      t("training.team"),
      el("table", {}, el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...ordered.map(row))),
    ),
  );
}

function drawDocuments() {
  const titles = new Map();
  for (const member of team.members)
    for (const document of member.documents) {
      const known = titles.get(document.key) ?? { ...document, without: [] };
      if (document.state !== "signed") known.without.push(member.name);
      titles.set(document.key, known);
    }
  $("#by-document").replaceChildren(
    ...[...titles.values()].map(({ title, since, without }) =>
      el(
        "li",
        {},
        el("strong", {}, title),
        ` (${t("training.version_of", { date: since ? date(since) : "–" })}): `,
        without.length ? t("training.without", { names: list(without) }) : t("training.everybody"),
      ),
    ),
  );
}

function drawSessions() {
  const choices = Object.keys(team.activities).map((key) => el("option", { value: key }, activity(key)));
  const chosen = $("#plan select").value;
  $("#plan select").replaceChildren(...choices);
  if (chosen) $("#plan select").value = chosen;
  const picked = new Set(
    [...document.querySelectorAll("#participants input:checked")].map((box) => box.value),
  );
  $("#participants").replaceChildren(
    ...team.members
      .filter((member) => member.role === "phoner")
      .map((member) =>
        el(
          "label",
          { class: "inline" },
          el("input", { type: "checkbox", value: member.id, checked: picked.has(String(member.id)) }),
          member.name,
        ),
      ),
  );
  $("#planned").replaceChildren(...team.sessions.map(session));
}

function session({ id, activity: key, day, participants }) {
  const boxes = Object.entries(participants).map(([user, attended]) => {
    const box = el("input", {
      type: "checkbox",
      checked: attended === true,
      "data-key": `session-${id}-${user}`,
    });
    box.addEventListener("change", async () => {
      try {
        await post(`/training/sessions/${id}/attendance`, { phoner: Number(user), attended: box.checked });
      } finally {
        await refresh();
      }
    });
    return el("label", { class: "inline" }, box, name(Number(user)));
  });
  return el(
    "fieldset",
    {},
    el("legend", {}, `${activity(key)}, ${date(day)}`),
    el("p", { class: "soft" }, t("training.attendance")),
    el("div", { class: "row" }, ...boxes),
  );
}

export const refresh = newest(async () => {
  if (!$("#team")) return;
  team = await get("/training/team");
  keepFocus(() => {
    drawMembers();
    drawDocuments();
    drawSessions();
  }, $("#team-title"));
});

export function start() {
  if (!$("#team")) return;
  onSubmit($("#plan form"), async (values) => {
    const phoners = [...document.querySelectorAll("#participants input:checked")].map((box) =>
      Number(box.value),
    );
    if (!phoners.length) throw new Error(t("training.nobody_chosen"));
    await post("/training/sessions", {
      activity: values.activity,
      day: read($("#plan [name=day]")),
      phoners,
    });
    $("#plan").open = false;
    show($("#plan .wrong"), false);
    await refresh();
    $("#plan summary").focus();
  });
}
