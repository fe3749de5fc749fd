// The form of one account: what may be chosen depends on role and department.

import { el } from "../dom.js";
import { label, t } from "../texts.js";

function options(select, found, chosen) {
  select.replaceChildren(
    ...found.map(([value, text]) => el("option", { value, selected: value === (chosen ?? "") }, text)),
  );
}

export function fill(form, found, one) {
  const fields = form.elements;
  const roles = Object.keys(found.may).filter((role) => role !== "leader"); // those are made by command
  options(
    fields.role,
    roles.map((role) => [role, t(`role.${role}`)]),
    one?.role ?? "phoner",
  );
  const departments = Object.entries(found.departments).map(([key, title]) => [key, label(title)]);
  const all = found.bound ? [] : [["", t("accounts.no_department")]];
  options(fields.department, [...departments, ...all], one ? one.department : departments[0]?.[0]);
  fields.name.value = one?.name ?? "";
  fields.line.value = one?.line ?? "";
  fields.shifts.value = one?.shifts ?? 1;
  fields.policy_ack.checked = one?.policy_ack ?? false;
  for (const name of ["role", "department"]) fields[name].disabled = one?.mine ?? false;
  // As the server has it (engine/listening/mentors.py).
  const mentors = () => {
    const there = found.accounts.filter(
      (other) =>
        fields.role.value === "phoner" &&
        other.role === "phoner" &&
        !other.left_at &&
        other.id !== one?.id &&
        (other.department ?? "") === fields.department.value,
    );
    const chosen = one?.mentor ? String(one.mentor) : "";
    options(
      fields.mentor,
      [["", t("accounts.no_mentor")], ...there.map((other) => [String(other.id), other.name])],
      chosen,
    );
  };
  mentors();
  fields.department.onchange = mentors;
  fields.role.onchange = mentors;
}

export function values(form) {
  const fields = form.elements;
  return {
    name: fields.name.value,
    role: fields.role.value,
    department: fields.department.value || null,
    line: fields.line.value || null,
    shifts: Number(fields.shifts.value),
    policy_ack: fields.policy_ack.checked,
    mentor: fields.mentor.value ? Number(fields.mentor.value) : null,
  };
}
