// The time of a call-back, with the rules' answer to the chosen time and the campaign's limit.
// Times are in the person's time zone; the server converts them to instants.

import { get } from "../api.js";
import { dateInput, read, write } from "../dates.js";
import { el } from "../dom.js";
import { local } from "../home.js";
import { locale, t } from "../texts.js";

function inWords(instant, zone) {
  const say = (form) =>
    new Intl.DateTimeFormat(locale, { ...form, timeZone: zone }).format(new Date(instant));
  const date = say({ weekday: "long", day: "numeric", month: "long" });
  return t("page.moment", { date, time: say({ hour: "2-digit", minute: "2-digit" }) });
}

// Local time rounded up to a multiple of so many minutes: with 30, "16:43" becomes "17:00".
function rounded(instant, zone, minutes) {
  const step = minutes * 60e3; // every zone's offset is a multiple of a quarter of an hour
  return local(Math.ceil(new Date(instant) / step) * step, zone);
}

// Times to choose with one click: in about an hour, tonight, tomorrow, in a week.
export function quickTimes({ now: instant, zone }) {
  const later = (hours, minutes) => rounded(new Date(instant).getTime() + hours * 3600e3, zone, minutes);
  const tonight = `${local(instant, zone).slice(0, 10)}T19:00`;
  const times = [
    ["hour", later(1, 15)],
    ["tonight", tonight],
    ["tomorrow", later(24, 30)],
    ["week", later(7 * 24, 30)],
  ];
  return times
    .filter(([name, value]) => name !== "tonight" || later(1, 15) < value)
    .map(([name, value]) => ({
      value,
      words: t(`phone.at.${name}`, { time: clock.format(new Date(`${value}Z`)) }),
    }));
}

const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", timeZone: "UTC" });

// -> { element, check() }. `corrected`: an earlier call, whose outcome is corrected. What the rules refuse for it is
// decided when the correction is saved: it may take back what refuses.
export function timePicker(draft, keep, corrected) {
  const path = corrected ? `/calls/${corrected}/call-back` : "/call-back";
  const input = dateInput("moment", { required: true });
  const answer = el("p", { role: "status" });
  const zone = el("p", { class: "soft" });
  const ready = el("div", { class: "row" });
  let callBackWindow = null;
  let asked = 0;

  async function ask(value, { typed } = {}) {
    if (!typed) write(input, value);
    delete draft.confirm_outside_hours; // the confirmation was for another time
    keep("at", undefined);
    answer.className = "";
    answer.textContent = "";
    const turn = ++asked;
    if (!value) return;
    try {
      const reply = await get(`${path}?at=${encodeURIComponent(value)}`);
      if (turn !== asked) return;
      callBackWindow = reply;
      showReply();
    } catch (error) {
      if (turn === asked) {
        answer.className = "wrong";
        answer.textContent = error.message;
      }
    }
  }

  function refuse(latest, where) {
    answer.className = "wrong";
    answer.textContent = t("phone.missing.at", { latest: inWords(latest, where) });
  }

  function showReply() {
    const when = inWords(callBackWindow.at, callBackWindow.zone);
    if (
      new Date(callBackWindow.at) > new Date(callBackWindow.latest) ||
      new Date(callBackWindow.at) <= new Date(callBackWindow.now)
    ) {
      refuse(callBackWindow.latest, callBackWindow.zone);
      return;
    }
    if (callBackWindow.refused.length && !corrected) {
      answer.className = "wrong";
      answer.textContent = t("phone.at.refused", { why: callBackWindow.refused.join(" ") });
      return;
    }
    keep("at", callBackWindow.at);
    if (!callBackWindow.closed.length) {
      answer.className = "note";
      answer.textContent = t("phone.at.good", { when });
      return;
    }
    const opens = callBackWindow.opens ? inWords(callBackWindow.opens, callBackWindow.zone) : "";
    answer.className = "note";
    answer.textContent = t("phone.at.closed", { when, why: callBackWindow.closed.join(" "), opens });
    if (callBackWindow.opens) {
      const take = local(callBackWindow.opens, callBackWindow.zone);
      answer.append(
        " ",
        el("button", { type: "button", onclick: () => ask(take) }, t("phone.at.take", { when: opens })),
      );
    }
  }

  async function begin() {
    callBackWindow = await get(path);
    zone.textContent = `${t("phone.at.zone", { zone: callBackWindow.zone })} ${t(callBackWindow.personal ? "phone.at.mine" : "phone.at.team")}`;
    ready.replaceChildren(
      ...quickTimes(callBackWindow).map(({ value, words }) =>
        el("button", { type: "button", onclick: () => ask(value) }, words),
      ),
    );
    if (draft.details?.at) await ask(local(draft.details.at, callBackWindow.zone));
  }

  input.addEventListener("input", () => ask(read(input), { typed: true }));
  begin();
  return {
    element: el("div", {}, ready, el("label", {}, t("phone.field.at"), input), zone, answer),
    check: () => {
      if (draft.details?.at) return "";
      const latest = callBackWindow ? inWords(callBackWindow.latest, callBackWindow.zone) : "";
      return answer.textContent || t("phone.missing.at", { latest });
    },
  };
}
