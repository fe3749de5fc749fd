// Before a shift and in a pause: the coming talks and the case of the month.

import { get } from "../api.js";
import { $, el, show } from "../dom.js";
import { whenOf } from "../notices/when.js";
import { t } from "../texts.js";

let notices = [];
let isFree = false; // before a shift, or in a pause

function draw() {
  show($("#notices"), isFree && notices.length > 0);
}

export function draws(at) {
  isFree = ["off", "paused"].includes(at.state);
  draw();
}

export function take(fetched) {
  notices = fetched.notices;
  const items = notices.map((notice) => {
    const href = `/notices#notice-${notice.id}`;
    const about = [whenOf(notice), notice.expert ? t("notices.expert", { name: notice.expert }) : null];
    return el(
      "li",
      {},
      el("span", { class: "badge" }, t(`notices.kind.${notice.kind}`)),
      " ",
      el("a", { href }, notice.title),
      el("span", { class: "soft" }, ` · ${about.filter(Boolean).join(" ")}`),
      notice.takes_questions ? " · " : "",
      notice.takes_questions
        ? el("a", { href, "aria-label": `${t("notices.ask_link")}: ${notice.title}` }, t("notices.ask_link"))
        : null,
    );
  });
  $("#notices ul").replaceChildren(...items);
  draw();
}

export const look = async () => take(await get("/notices/current"));
