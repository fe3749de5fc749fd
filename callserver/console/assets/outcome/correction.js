// The dialog that corrects an outcome, for the phoner and the supervisor, or enters one that is missing. It uses the
// form of a call, so an agreement is read back here too.

import { post } from "../api.js";
import { el, toast } from "../dom.js";
import { label, t } from "../texts.js";
import { outcomeForm } from "./form.js";

const dialog = el("dialog", { id: "correct-dialog", "aria-labelledby": "correct-title" });
document.body.append(dialog);

// `outcome`: the outcome saved so far, if any; `title` names the call; `campaign`: { outcomes };
// `text` and `saved`: what is said before and after; `done()` is called after the correction.
export function correct({ attempt, outcome, title, text, saved, campaign, done }) {
  const { outcomes } = campaign;
  const select = el(
    "select",
    { id: "correct-outcome" },
    outcome ? null : el("option", { value: "", selected: true, disabled: true }, t("outcome.choose")),
    ...Object.entries(outcomes).map(([key, option]) =>
      el("option", { value: key, selected: key === outcome }, label(option.label)),
    ),
  );
  const body = el("div", { id: "correct-body" });
  const written = () => ({ details: {}, note: "" });
  const save = async (draft) => {
    await post("/correct", { attempt, outcome: select.value, ...draft });
    if (body.isConnected) dialog.close(); // it may be about another call by now
    toast(saved ?? t("outcome.corrected"), "good");
    await done();
  };
  const fill = () => {
    if (!select.value) return; // nothing is chosen in the supervisor's place
    const way = { name: "save", words: t("page.save"), agreed: t("phone.read_back.yes"), does: save };
    const options = {
      outcome: outcomes[select.value],
      draft: written(),
      changed: () => {},
      corrected: attempt,
    };
    body.replaceChildren(outcomeForm({ ...options, ways: { buttons: [way] } }).element);
  };
  select.addEventListener("change", fill);
  fill();
  dialog.replaceChildren(
    el("h2", { id: "correct-title" }, title),
    el("p", { class: "soft" }, text ?? t("outcome.correct_text")),
    el("label", {}, t("outcome.outcome"), " ", select),
    body,
    el("form", { method: "dialog" }, el("button", { class: "quiet" }, t("page.cancel"))),
  );
  dialog.showModal();
  select.focus();
}
