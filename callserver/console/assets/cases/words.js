// Formatting that the list and a single case share.

import { el } from "../dom.js";
import { dateTime, t } from "../texts.js";

export const ownerOf = ({ owner, owner_role: role }) =>
  owner ?? t("cases.queue", { role: t(`role.${role}`) });

export const due = ({ deadline, overdue }) =>
  el(
    "span",
    {},
    // The deadline is the end of a day: the second before it names that day.
    dateTime(new Date(new Date(deadline) - 1000).toISOString()),
    overdue ? el("span", { class: "badge bad" }, t("cases.overdue")) : null,
  );

export const stateBadge = ({ state }) =>
  el(
    "span",
    { class: `badge ${state === "closed" || state === "answered" ? "good" : ""}` },
    t(`cases.state.${state}`),
  );
