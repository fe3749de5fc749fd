// Captions of the simulated telephone: who hears whom, and the last lines that were spoken.

import { el, show } from "../dom.js";
import { t } from "../texts.js";

const MAX_LINES = 3;

export function captions(place) {
  const hears = el("p", { role: "status" });
  const lines = el("ol", {
    class: "said",
    "aria-live": "polite",
    tabindex: "0",
    "aria-label": t("played.title"),
  });
  const section = el(
    "section",
    { class: "card line", "aria-label": t("played.title") },
    el("p", { class: "soft title" }, t("played.title")),
    hears,
    lines,
  );
  place.replaceChildren(section);
  let alone = true;

  const words = (kind, who) =>
    (who.length ? who : ["nobody"]).map((name) => t(`played.${kind}.${name}`)).join(" ");

  return {
    draw({ on, hears: audible, heard_by: by, who, says }) {
      show(place, on);
      if (!on || (alone && audible.length)) lines.replaceChildren(); // a new conversation
      alone = !audible.length;
      const now = `${words("hears", audible)} ${words("heard_by", by)}`;
      if (hears.textContent !== now) hears.textContent = now;
      if (!says) return;
      lines.append(
        el("li", { class: who }, el("b", {}, t(`played.who.${who}`)), " ", t(`played.says.${says}`)),
      );
      while (lines.children.length > MAX_LINES) lines.firstChild.remove();
    },
    close() {
      show(place, false);
      section.remove();
    },
  };
}
