// When to call again: the campaign's limit, and the rules' own answer for the time that is chosen.
// Times are on the person's own clock; the server makes instants of them.

import { get } from "../api.js";
import { dateInput, read, write } from "../dates.js";
import { el } from "../dom.js";
import { locale, now, t } from "../texts.js";

// "2026-05-13T17:15" of an instant, as clocks show it there.
function local(instant, zone) {
  const parts = new Intl.DateTimeFormat("sv", { timeZone: zone, dateStyle: "short", timeStyle: "short" });
  return parts.format(new Date(instant)).replace(" ", "T");
}

function said(instant, zone) {
  const say = (form) =>
    new Intl.DateTimeFormat(locale, { ...form, timeZone: zone }).format(new Date(instant));
  const date = say({ weekday: "long", day: "numeric", month: "long" });
  return t("page.moment", { date, time: say({ hour: "2-digit", minute: "2-digit" }) });
}

// The next full step of so many minutes, as a wall clock shows it: "16:43" is followed by "17:00".
function rounded(instant, zone, minutes) {
  const step = minutes * 60e3; // every zone's offset is a multiple of a quarter of an hour
  return local(Math.ceil(new Date(instant) / step) * step, zone);
}

// Ready-made times, as people say them: in an hour or so, tonight, tomorrow, in a week.
export function quickTimes({ now: instant, zone }) {
  const later = (hours, minutes) => rounded(new Date(instant).getTime() + hours * 3600e3, zone, minutes);
  const tonight = `${local(instant, zone).slice(0, 10)}T19:00`;
  const found = [
    ["hour", later(1, 15)],
    ["tonight", tonight],
    ["tomorrow", later(24, 30)],
    ["week", later(7 * 24, 30)],
  ];
  return found
    .filter(([name, value]) => name !== "tonight" || later(1, 15) < value)
    .map(([name, value]) => ({
      value,
      words: t(`phone.at.${name}`, { time: clock.format(new Date(`${value}Z`)) }),
    }));
}

const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", timeZone: "UTC" });

// -> { element, check() }. `limits` (a correction's): only how many days ahead; the rules are not asked.
export function timePicker(draft, keep, limits) {
  const input = dateInput("moment", { required: true });
  const answer = el("p", { role: "status" });
  const zone = el("p", { class: "soft" });
  const ready = el("div", { class: "row" });
  let window = null;
  let asked = 0;

  async function ask(value, { typed } = {}) {
    if (!typed) write(input, value);
    delete draft.confirm_outside_hours; // confirmed for another time
    keep("at", undefined);
    answer.className = "";
    answer.textContent = "";
    const turn = ++asked;
    if (!value) return;
    if (limits) {
      const at = new Date(value);
      const latest = new Date(now().getTime() + limits.days * 86400e3);
      if (at > now() && at <= latest) keep("at", at.toISOString());
      else refuse(latest);
      return;
    }
    try {
      const found = await get(`/call-back?at=${encodeURIComponent(value)}`);
      if (turn !== asked) return;
      window = found;
      tell();
    } catch (error) {
      if (turn === asked) {
        answer.className = "wrong";
        answer.textContent = error.message;
      }
    }
  }

  function refuse(latest, where) {
    answer.className = "wrong";
    answer.textContent = t("phone.missing.at", { latest: said(latest, where) });
  }

  function tell() {
    const when = said(window.at, window.zone);
    if (new Date(window.at) > new Date(window.latest) || new Date(window.at) <= new Date(window.now)) {
      refuse(window.latest, window.zone);
      return;
    }
    if (window.refused.length) {
      answer.className = "wrong";
      answer.textContent = t("phone.at.refused", { why: window.refused.join(" ") });
      return;
    }
    keep("at", window.at);
    if (!window.closed.length) {
      answer.className = "note";
      answer.textContent = t("phone.at.good", { when });
      return;
    }
    const opens = window.opens ? said(window.opens, window.zone) : "";
    answer.className = "note";
    answer.textContent = t("phone.at.closed", { when, why: window.closed.join(" "), opens });
    if (window.opens) {
      const take = local(window.opens, window.zone);
      answer.append(
        " ",
        el("button", { type: "button", onclick: () => ask(take) }, t("phone.at.take", { when: opens })),
      );
    }
  }

  async function begin() {
    if (limits) {
      write(input, draft.details?.at && local(draft.details.at));
      return;
    }
    window = await get("/call-back");
    zone.textContent = `${t("phone.at.zone", { zone: window.zone })} ${t(window.personal ? "phone.at.mine" : "phone.at.team")}`;
    ready.replaceChildren(
      ...quickTimes(window).map(({ value, words }) =>
        el("button", { type: "button", onclick: () => ask(value) }, words),
      ),
    );
    if (draft.details?.at) await ask(local(draft.details.at, window.zone));
  }

  input.addEventListener("input", () => ask(read(input), { typed: true }));
  begin();
  return {
    element: el("div", {}, ready, el("label", {}, t("phone.field.at"), input), zone, answer),
    check: () => {
      if (draft.details?.at) return "";
      const latest = window ? said(window.latest, window.zone) : "";
      return answer.textContent || t("phone.missing.at", { latest });
    },
  };
}
