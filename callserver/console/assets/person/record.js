// A person's record: what stands on the lists, calls, wishes, and who has looked.

import { ask, field } from "../dialog.js";
import { $, el, scrolling, show } from "../dom.js";
import { date, dateTime, list, number, t } from "../texts.js";

export const find = () => $("#person-name");

export function draw(person, { undo, decide, remove }) {
  $("#person-name").textContent = person.name ?? t("person.no_name");
  const refs = person.campaigns.map(({ ref }) => ref).filter(Boolean);
  $("#identity").replaceChildren(
    ...pairs([
      ["numbers", list(person.numbers)],
      ["refs", list([...new Set(refs)])],
    ]),
    ...person.registers.map((name) => el("dd", {}, t("suppressions.registered", { names: name }))),
  );
  $("#elsewhere").textContent = t("person.elsewhere", { count: person.elsewhere });
  show($("#elsewhere"), person.elsewhere > 0);
  $("#calls").replaceChildren(...person.calls.map(({ text }) => el("li", {}, text)));
  table("campaigns", ["campaign", "status", "next", "details"], person.campaigns, (row) =>
    campaign(row, remove),
  );
  table("opt_outs", ["what", "at", "by", "how", "state"], person.opt_outs, optOut);
  table("marks", ["what", "at", "by", "state"], person.marks, (mark) => marked(mark, undo));
  table("consents", ["what", "at", "by", "state"], person.consents, (mark) => marked(mark, undo));
  table("cases", ["what", "at", "due", "owner", "state"], person.cases, (row) => [
    row.kind,
    dateTime(row.opened_at),
    date(row.deadline),
    row.owner,
    row.state,
  ]);
  table("call_backs", ["for", "campaign", "at", "by"], person.call_backs, (row) => [
    dateTime(row.for_at),
    row.campaign,
    dateTime(row.made_at),
    row.by,
  ]);
  table("listened_to", ["at", "by", "how"], person.listened_to, (row) => [
    dateTime(row.at),
    row.by,
    row.mode,
  ]);
  table("look_ups", ["at", "by", "reason"], person.look_ups, (row) => [dateTime(row.at), row.by, row.why]);
  others(person.others, person.may_decide && decide);
  show($("#decisions").closest("section"), person.decisions.length > 0);
  table("decisions", ["what", "at", "by", "reason", "state"], person.decisions, (row) => [
    row.text,
    dateTime(row.at),
    row.by,
    row.why,
    decision(row, decide),
  ]);
}

function decision(row, decide) {
  const cell = el("div", { class: "row" }, state(!row.in_force, t("person.decision_over")));
  if (!row.undoable) return cell;
  const press = () =>
    ask(
      t("person.decision_undo"),
      [el("p", {}, row.text), el("p", {}, t("person.decision_undo_text")), whyField()],
      {
        go: t("person.undo_go"),
        does: ({ why }) => decide(row.contact, row.other, "undecided", why),
      },
    );
  cell.append(el("button", { type: "button", class: "quiet", onclick: press }, t("person.undo")));
  return cell;
}

function pairs(rows) {
  return rows
    .filter(([, value]) => value)
    .flatMap(([key, value]) => [el("dt", {}, t(`person.${key}`)), el("dd", {}, value)]);
}

// The first cell is the row's heading. Without rows, the section says that there are none.
function table(name, heads, rows, cells) {
  if (!rows.length) {
    $(`#${name}`).replaceChildren(el("p", { class: "soft" }, t(`person.no_${name}`)));
    return;
  }
  const heading = el("tr", {}, ...heads.map((key) => el("th", { scope: "col" }, t(`person.${key}`))));
  const body = rows.map((row) => {
    const [first, ...rest] = cells(row);
    const over = row.lifted_at ?? row.ended_at;
    return el(
      "tr",
      { class: over ? "gone" : "" },
      el("th", { scope: "row" }, first),
      ...rest.map((cell) => (cell instanceof Node ? el("td", {}, cell) : el("td", {}, cell ?? ""))),
    );
  });
  $(`#${name}`).replaceChildren(
    scrolling(t(`person.${name}`), el("table", {}, el("thead", {}, heading), el("tbody", {}, ...body))),
  );
}

function campaign(row, remove) {
  const known = pairs([
    ["name", row.name],
    ["refs", row.ref],
    ["numbers", row.number],
    ["member", row.member ? t("page.yes") : null],
    ["last_gift", row.last_gift],
    ["ended", row.ended],
    ["born", row.born],
    ["source", row.source],
    ["tries", number(row.tries)],
  ]);
  const own = Object.entries(row.fields).flatMap(([key, value]) => [el("dt", {}, key), el("dd", {}, value)]);
  const details = el(
    "details",
    {},
    el("summary", {}, t("person.details")),
    el("dl", { class: "pairs" }, ...known, ...own),
  );
  const cell = el("div", {}, details);
  if (row.removable)
    cell.append(
      el(
        "button",
        {
          type: "button",
          class: "quiet",
          "data-key": `remove-${row.contact}`,
          onclick: () => askRemoval(row, remove),
        },
        t("person.remove"),
      ),
    );
  return [row.campaign, row.status, row.next, cell];
}

function askRemoval(row, remove) {
  const fields = [el("p", {}, t("person.remove_text")), whyField()];
  ask(t("person.remove_from", { campaign: row.campaign }), fields, {
    go: t("person.remove_go"),
    bad: true,
    does: ({ why }) => remove(row.contact, why),
  });
}

const whyField = () =>
  field("why", t("person.undo_why"), el("input", { required: true, maxlength: "200", autocomplete: "off" }));

const state = (isOver, over) =>
  isOver ? el("span", { class: "badge" }, over) : el("span", { class: "badge good" }, t("person.in_force"));

function optOut(row) {
  const over = row.lifted_at ? t("suppressions.lifted_at", { when: dateTime(row.lifted_at) }) : "";
  return [row.scope, dateTime(row.at), row.by, row.how, state(row.lifted_at, over)];
}

function marked(mark, undo) {
  const over = mark.ended_at
    ? t("person.ended_at", { when: dateTime(mark.ended_at), by: mark.ended_by })
    : "";
  const cell = el("div", { class: "row" }, state(mark.ended_at, over));
  if (mark.undoable) {
    const button = el(
      "button",
      { type: "button", class: "quiet", onclick: () => askWhy(mark, undo) },
      t("person.undo"),
    );
    cell.append(button);
  }
  return [el("span", {}, mark.text, mark.detail ? ` ${mark.detail}` : ""), dateTime(mark.at), mark.by, cell];
}

function askWhy(mark, undo) {
  const fields = [el("p", {}, t("person.undo_text")), whyField()];
  ask(t("person.undo_title", { mark: mark.text }), fields, {
    go: t("person.undo_go"),
    does: ({ why }) => undo(mark.kind, why),
  });
}

// `decide`: what decides about one of them; false: the user may not.
function others(people, decide) {
  show($("#others").closest("section"), people.length > 0);
  if (!people.length) return;
  table("others", ["name", "campaign", "shares", "facts", "decide"], people, (person) => [
    [person.name ?? t("person.no_name"), person.ref, person.number].filter(Boolean).join(" · "),
    person.campaign,
    person.shares,
    person.facts.join("; "),
    decide
      ? el("div", { class: "row" }, verdict(person, "same", decide), verdict(person, "different", decide))
      : "",
  ]);
  $("#others").prepend(el("p", { class: "soft" }, t("person.others_hint")));
}

function verdict(person, answer, decide) {
  const press = () => {
    const fields = [el("p", {}, t(`person.${answer}_text`)), whyField()];
    ask(t(`person.${answer}`), fields, {
      go: t("person.decide_go"),
      does: ({ why }) => decide(null, person.contact, answer, why),
    });
  };
  return el("button", { type: "button", class: "quiet", onclick: press }, t(`person.${answer}`));
}
