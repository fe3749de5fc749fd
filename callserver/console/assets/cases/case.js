// One case: what the person said, the answer and its second name, the messages, the history.

import "../dates.js";
import { get, Problem, post } from "../api.js";
import { $, $$, el, onPress, onSubmit, passFocus, show, toast } from "../dom.js";
import { keepForm, kept } from "../kept.js";
import { date, dateTime, has, t } from "../texts.js";
import { due, ownerOf, stateBadge } from "./words.js";

let shown = null; // the case on the page
let changed = () => {};

const REPLIES = ["email", "sms", "spoken", "letter"];
const SENT = new Set(["email", "sms"]);
const nameOf = (by) => (has(`cases.by.${by}`) ? t(`cases.by.${by}`) : by);

export const onChange = (work) => {
  changed = work;
};

let turn = 0; // counts openings: only the case that was chosen last is shown

export async function open(id) {
  turn += 1;
  const mine = turn;
  const view = await get(`/cases/${id}`);
  if (mine !== turn) return;
  draw(view);
  $("#case-title").focus();
}

export function close() {
  turn += 1;
  shown = null;
  show($("#case"), false);
}

// Shows the open case as it is now if somebody else has changed it. What was typed and not saved stays.
export async function refresh(changedCases) {
  const before = shown;
  if (!before || !changedCases.includes(before.id)) return;
  let view;
  try {
    view = await get(`/cases/${before.id}`);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status !== 404) return toast(error.message, "bad");
    close();
    return toast(t("cases.gone", { case: before.id }), "bad");
  }
  if (shown !== before) return; // another case, or a change of one's own, was drawn meanwhile
  const typed = unsaved();
  const focused = document.activeElement;
  draw(view);
  for (const [field, value] of typed) {
    if ($(field)) $(field).value = value;
  }
  $("#send [name=by]")?.dispatchEvent(new Event("change"));
  const name = focused.getAttribute("name");
  const again = name && focused.form ? $(`#${focused.form.id} [name=${name}]`) : null;
  passFocus(focused, again ?? $("#case-title"));
  toast(t("cases.changed", { case: view.id }));
}

// The fields of the open case whose value is not what was drawn: selector -> value. An answer is kept by its form.
function unsaved() {
  const fields = $$("#send [name], #hand-over select");
  const changed = fields.filter((field) => field.value !== field.dataset.drawn);
  return new Map(
    changed.map((field) => [`#${field.form.id} ${field.localName}[name=${field.name}]`, field.value]),
  );
}

// Sends a change and shows the case as it is afterwards. What was typed for it is kept under `key` until then.
async function act(path, body, text, key = "") {
  const focused = document.activeElement;
  const { id } = shown;
  const view = await post(`/cases/${id}${path}`, body);
  kept.drop(key);
  if (shown?.id === id) {
    draw(view);
    passFocus(focused, $("#case-title"));
  }
  toast(t(text), "good");
  await changed();
}

function draw(view) {
  const another = shown?.id !== view.id;
  shown = view;
  show($("#case"));
  $("#case-title").textContent = t("cases.one", { case: view.id, kind: t(`cases.kind.${view.kind}`) });
  $("#about").replaceChildren(about(view), el("h3", {}, t("cases.words")), words(view));
  $("#answer").replaceChildren(...answer(view));
  $("#messages").replaceChildren(...messages(view));
  $("#history").replaceChildren(...view.history.map(entry));
  if ($("#more")) {
    if (another) begin();
    show($("#more"), view.may_handle && view.state !== "closed");
    show($("#hand-over"), view.colleagues.length > 0);
    const colleagues = view.colleagues.map(({ id, name, role }) =>
      el("option", { value: id }, `${name} · ${t(`role.${role}`)}`),
    );
    $("#hand-over select").replaceChildren(...colleagues);
    show($("#extend"), view.may_extend);
    $("#extend span").textContent = t("cases.extend_until", { day: date(`${view.last_day}T12:00Z`) });
  }
  for (const field of $$("#send [name], #hand-over select")) {
    field.dataset.drawn = field.value;
  }
}

function about(view) {
  const pairs = [
    ["state", stateBadge(view)],
    ["due", due(view)],
    ["owner", ownerOf(view)],
    [
      "from",
      t("cases.from_value", { when: dateTime(view.opened_at), source: t(`cases.source.${view.source}`) }),
    ],
    ["telephone", view.number ?? t("cases.no_number")],
  ];
  return el(
    "dl",
    { class: "pairs" },
    ...pairs.flatMap(([key, value]) => [el("dt", {}, t(`cases.${key}`)), el("dd", {}, value)]),
  );
}

function words(view) {
  if (view.words) return el("p", { class: "said" }, view.words);
  return el("p", { class: "soft" }, t(view.forgotten ? "cases.forgotten" : "cases.no_words"));
}

function answer(view) {
  const parts = [el("h3", {}, t("cases.answer"))];
  if (view.two_names) parts.push(el("p", { class: "soft" }, t("cases.answer_two")));
  if (view.may_draft) parts.push(draftForm(view));
  else if (view.draft) parts.push(el("p", { class: "said" }, view.draft));
  if (view.written_by) parts.push(el("p", {}, t("cases.written_by", { name: view.written_by })));
  if (view.confirmed_by) parts.push(el("p", {}, t("cases.confirmed_by", { name: view.confirmed_by })));
  if (view.two_names && view.state === "drafted")
    parts.push(el("p", { class: "note" }, t("cases.waits_second")));
  if (view.may_confirm)
    parts.push(
      button("main", "cases.confirm", () => act("/confirm", { text: view.draft }, "cases.confirmed")),
    );
  if (view.may_answer) parts.push(sendForm(view));
  if (view.answered_at)
    parts.push(
      el(
        "p",
        {},
        t("cases.given", {
          how: t(`cases.reply.${view.reply_by ?? "spoken"}`),
          when: dateTime(view.answered_at),
        }),
      ),
    );
  if (view.may_close) parts.push(button("main", "cases.close", () => act("/close", {}, "cases.closed")));
  return parts;
}

function button(kind, text, work) {
  const element = el("button", { type: "button", class: kind }, t(text));
  const wrong = el("p", { class: "wrong", role: "alert", hidden: true });
  onPress(element, async () => {
    try {
      await work();
    } catch (error) {
      wrong.textContent = error.message;
      show(wrong);
    }
  });
  return el("div", {}, wrong, element);
}

function draftForm(view) {
  const text = el("textarea", { name: "text", maxlength: 4000, required: true });
  const key = `cases.answer.${view.id}`;
  const typed = kept.read(key);
  const { draft } = typed ?? view; // on which it was begun
  text.value = typed?.text ?? view.draft ?? view.standard_text;
  text.addEventListener("input", () => kept.write(key, { text: text.value, draft }));
  const form = el(
    "form",
    { id: "draft" },
    ...(view.draft && draft !== view.draft ? changedAnswer(view) : []),
    el("p", { class: "soft" }, t("cases.answer_hint")),
    el("label", {}, t("cases.answer_text"), text),
    el("p", { class: "wrong", role: "alert", hidden: true }),
    el("button", {}, t("cases.draft")),
  );
  onSubmit(form, ({ text: written }) => act("/draft", { text: written }, "cases.drafted", key));
  return form;
}

const changedAnswer = (view) => [
  el("p", { class: "note" }, t("cases.changed_answer", { name: view.written_by })),
  el("p", { class: "said" }, view.draft),
];

function sendForm(view) {
  const options = REPLIES.map((by) => el("option", { value: by }, t(`cases.reply.${by}`)));
  const by = el("select", { name: "by" }, ...options);
  by.value = view.reply_by ?? "email";
  const address = el("input", { name: "to", maxlength: 254, value: view.reply_to ?? "" });
  const to = el("label", {}, t("cases.send_to"), address);
  const choose = () => show(to, SENT.has(by.value));
  by.addEventListener("change", choose);
  choose();
  const form = el(
    "form",
    { id: "send" },
    el("div", { class: "columns" }, el("label", {}, t("cases.send_how"), by), to),
    el("p", { class: "wrong", role: "alert", hidden: true }),
    el("button", { class: "main" }, t("cases.send")),
  );
  onSubmit(form, ({ by: how, to: where }) =>
    act("/answer", { by: how, to: SENT.has(how) ? where : "", text: view.draft }, "cases.sent"),
  );
  return form;
}

function messages(view) {
  if (!view.messages.length) return [];
  const items = view.messages.map((message) => {
    const text = t("cases.message", {
      use: t(`cases.use.${message.use}`),
      kind: t(`cases.reply.${message.kind}`),
      state: t(`cases.message_state.${message.state}`),
    });
    const again = message.again
      ? button("quiet", "cases.again", () => act(`/messages/${message.id}/again`, {}, "cases.again_done"))
      : null;
    return el("li", {}, text, again);
  });
  return [el("h3", {}, t("cases.messages")), el("ul", {}, ...items)];
}

function entry(line) {
  const event = t(`cases.event.${line.event}`, { owner: line.owner_role ? ownerOf(line) : "" });
  return el(
    "li",
    {},
    el("time", { class: "soft", datetime: line.at }, dateTime(line.at)),
    " ",
    t("cases.by", { event, by: nameOf(line.by) }),
    line.note ? el("p", { class: "said" }, line.note) : null,
  );
}

const noteKey = () => `cases.note.${shown.id}`;

// What was typed for the case before is not this one's.
function begin() {
  $("#extend").reset();
  $("#note").reset();
  note.bring();
}

const note = $("#note") && keepForm($("#note"), noteKey);
if (note) {
  onSubmit($("#note"), async ({ text }) => {
    const { id } = shown;
    await act("/note", { text }, "cases.noted", noteKey());
    if (shown?.id === id) $("#note").reset();
  });
  onSubmit($("#extend"), async (values) => {
    const { id } = shown;
    await act("/extend", values, "cases.extended");
    if (shown?.id === id) $("#extend").reset();
  });
  onSubmit($("#hand-over"), ({ to }) => act("/hand-over", { to: Number(to) }, "cases.handed_over"));
}
