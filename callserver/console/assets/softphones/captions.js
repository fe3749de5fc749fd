// What would be heard, in words: who hears whom, and what was said last.

import { el, show } from "../dom.js";
import { t } from "../texts.js";

const MOST = 3;

export function captions(place) {
  const hears = el("p", { role: "status" });
  const said = el("ol", {
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
    said,
  );
  place.replaceChildren(section);
  let alone = true;

  const words = (kind, who) =>
    (who.length ? who : ["nobody"]).map((one) => t(`played.${kind}.${one}`)).join(" ");

  return {
    draw({ on, hears: heard, heard_by: by, who, says }) {
      show(place, on);
      if (!on || (alone && heard.length)) said.replaceChildren(); // a new talk
      alone = !heard.length;
      const now = `${words("hears", heard)} ${words("heard_by", by)}`;
      if (hears.textContent !== now) hears.textContent = now;
      if (!says) return;
      said.append(
        el("li", { class: who }, el("b", {}, `${t(`played.who.${who}`)}: `), t(`played.says.${says}`)),
      );
      while (said.children.length > MOST) said.firstChild.remove();
    },
    close() {
      show(place, false);
      section.remove();
    },
  };
}
