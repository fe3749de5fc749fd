// The interviewer's side of a role-play call: the code for the applicant, the softphone, the script.

import { get, post } from "../api.js";
import { ask, field } from "../dialog.js";
import { $, el, onPress, show, toast } from "../dom.js";
import { badge, connect, untilReached } from "../softphone.js";
import { label, t, time } from "../texts.js";

const ADDRESS = `${location.host}/role-play`;

let call = null; // { id, code, phone, started }

export function begin(applicant, data, refresh) {
  const options = data.campaigns.map(({ name, title }) => el("option", { value: name }, label(title)));
  const fields = [
    el("p", {}, t("applicants.play_text", { name: applicant.name, address: ADDRESS })),
    field("campaign", t("applicants.play_campaign"), el("select", { required: true }, ...options)),
  ];
  ask(t("page.of", { label: t("applicants.play"), name: applicant.name }), fields, {
    go: t("applicants.play_go"),
    next: $("#playing-title"),
    does: async (values) => {
      const { id, code } = await post(`/applicants/${applicant.id}/role-play`, values);
      call = { id, code, phone: null, started: false };
      await refresh();
    },
  });
}

// Draws the call in hand, or its end.
export async function playing(view) {
  const place = $("#playing");
  if (!view) {
    if (call) over();
    return show(place, false);
  }
  const isNew = call?.id !== view.id || !call.phone;
  if (call?.id !== view.id) call = { id: view.id, code: null, phone: null, started: false };
  call.started = view.started;
  show(place);
  $("#playing-title").textContent = t("applicants.playing", { name: view.name });
  const { code } = call;
  show($("#playing-code"), !view.joined && Boolean(code));
  $("#playing-code b").textContent = code ?? "";
  $("#playing-code span").textContent = t("applicants.playing_code", { name: view.name });
  $("#playing-hint").textContent = code
    ? t("applicants.playing_hint", { name: view.name, address: ADDRESS, time: time(view.code_until) })
    : t("applicants.playing_code_gone");
  show($("#playing-hint"), !view.joined);
  const state = view.started ? "playing_now" : view.joined ? "playing_joins" : "playing_waits";
  $("#playing-state").textContent = t(`applicants.${state}`, { name: view.name });
  if (isNew) await join(view.id);
}

async function join(id) {
  const path = `/role-plays/${id}`;
  const isOpen = () => call?.id === id;
  const onState = (state) => badge($("#playing-soft"), state);
  const options = {
    as: "player",
    path: `${path}/softphone`,
    rings: () => post(`${path}/ring`),
    expects: isOpen,
    onState,
  };
  call.phone = untilReached(() => connect(options), onState, isOpen);
  const { script } = await get(`${path}/script`).catch(() => ({ script: "" })); // the call is over already
  $("#playing-script").innerHTML = script;
}

function over() {
  const { phone, started } = call;
  call = null;
  phone?.then((telephone) => telephone?.disconnect());
  toast(t(started ? "applicants.played" : "applicants.not_played"), started ? "good" : "");
}

export function prepare(refresh) {
  onPress($("#playing-end"), async () => {
    const wrong = $("#playing .wrong");
    show(wrong, false);
    try {
      await post(`/role-plays/${call.id}/end`);
    } catch (error) {
      if (error.status !== 404) {
        wrong.textContent = error.message;
        return show(wrong);
      }
    }
    await refresh();
  });
}
