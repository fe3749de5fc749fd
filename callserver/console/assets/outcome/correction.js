// The correction of an outcome, by the phoner or by a supervisor: filled in, read back and saved as in a call.

import { post } from "../api.js";
import { el, toast } from "../dom.js";
import { label, t } from "../texts.js";
import { outcomeForm } from "./form.js";

const dialog = el("dialog", { id: "correct-dialog", "aria-labelledby": "correct-title" });
document.body.append(dialog);

// `attempt` had `outcome`; `title` says which call it was; `campaign`: { outcomes, most_days_ahead };
// `done()` once it is corrected.
export function correct({ attempt, outcome, title, campaign, done }) {
  const { outcomes, most_days_ahead: days } = campaign;
  const select = el(
    "select",
    { id: "correct-outcome" },
    ...Object.entries(outcomes).map(([key, one]) =>
      el("option", { value: key, selected: key === outcome }, label(one.label)),
    ),
  );
  const body = el("div", { id: "correct-body" });
  const written = () => ({ details: {}, note: "" });
  const save = async (draft) => {
    await post("/correct", { attempt, outcome: select.value, ...draft });
    dialog.close();
    toast(t("outcome.corrected"), "good");
    await done();
  };
  const fill = () => {
    const way = { name: "save", words: t("page.save"), agreed: t("phone.read_back.yes"), does: save };
    const options = {
      outcome: outcomes[select.value],
      draft: written(),
      changed: () => {},
      limits: { days },
    };
    body.replaceChildren(outcomeForm({ ...options, ways: { buttons: [way] } }).element);
  };
  select.addEventListener("change", fill);
  fill();
  dialog.replaceChildren(
    el("h2", { id: "correct-title" }, title),
    el("p", { class: "soft" }, t("outcome.correct_text")),
    el("label", {}, t("outcome.outcome"), " ", select),
    body,
    el("form", { method: "dialog" }, el("button", { class: "quiet" }, t("page.cancel"))),
  );
  dialog.showModal();
  select.focus();
}
