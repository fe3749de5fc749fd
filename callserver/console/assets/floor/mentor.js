// A new phoner is bound to a mentor, and listens to her calls.

import { get, post } from "../api.js";
import { el, onSubmit, toast } from "../dom.js";
import { t } from "../texts.js";
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
    el(
      "p",
      {},
      trainees.length ? t("floor.trainees", { names: trainees.join(", ") }) : t("floor.no_trainees"),
    ),
    form,
  );
  let phoners = [];
  box.addEventListener("toggle", async () => {
    if (!box.open || phoners.length) return;
    phoners = (await get("/phoners")).phoners.filter(
      (one) => one.id !== seat.phoner && one.department === seat.department,
    );
    select.replaceChildren(
      el("option", { value: "" }, t("floor.choose")),
      ...phoners.map((one) =>
        el(
          "option",
          { value: String(one.id) },
          one.mentor === seat.phoner ? `${one.name} (${t("floor.unbind")})` : one.name,
        ),
      ),
    );
  });
  onSubmit(form, async ({ trainee }) => {
    const found = phoners.find((one) => String(one.id) === trainee);
    const ends = found.mentor === seat.phoner;
    await post(`/users/${found.id}/mentor`, { mentor: ends ? null : seat.phoner });
    toast(t(ends ? "floor.unbound" : "floor.bound", { trainee: found.name, mentor: seat.name }), "good");
    await refreshDetails();
  });
  return box;
}
