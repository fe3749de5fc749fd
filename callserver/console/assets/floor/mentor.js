// Assigning a trainee to a mentor, whose calls they may then listen to.

import { get, post } from "../api.js";
import { el, onSubmit, toast } from "../dom.js";
import { list, t } from "../texts.js";
import { known, refreshDetails } from "./store.js";

export function mentor() {
  const { seat, trainees } = known.details;
  const select = el("select", { name: "trainee", required: true });
  const form = el(
    "form",
    { class: "row" },
    el("label", {}, t("floor.trainee"), select),
    el("p", { class: "wrong", role: "alert", hidden: true }),
    el("button", { "data-key": "bind" }, t("floor.bind")),
  );
  const box = el(
    "details",
    {},
    el("summary", {}, t("floor.mentor")),
    el("p", {}, trainees.length ? t("floor.trainees", { names: list(trainees) }) : t("floor.no_trainees")),
    form,
  );
  let phoners = [];
  box.addEventListener("toggle", async () => {
    if (!box.open || phoners.length) return;
    phoners = (await get("/phoners")).phoners.filter(
      (phoner) => phoner.id !== seat.phoner && phoner.department === seat.department,
    );
    select.replaceChildren(
      el("option", { value: "" }, t("floor.choose")),
      ...phoners.map((phoner) =>
        el(
          "option",
          { value: String(phoner.id) },
          phoner.mentor === seat.phoner ? t("floor.unbind_of", { name: phoner.name }) : phoner.name,
        ),
      ),
    );
  });
  onSubmit(form, async ({ trainee: id }) => {
    const trainee = phoners.find((phoner) => String(phoner.id) === id);
    const ends = trainee.mentor === seat.phoner;
    await post(`/users/${trainee.id}/mentor`, { mentor: ends ? null : seat.phoner });
    toast(t(ends ? "floor.unbound" : "floor.bound", { trainee: trainee.name, mentor: seat.name }), "good");
    await refreshDetails();
  });
  return box;
}
