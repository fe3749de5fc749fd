// The form of one account. The mentors on offer depend on its role and department.

import { el } from "../dom.js";
import { label, t } from "../texts.js";

function options(select, choices, chosen) {
  select.replaceChildren(
    ...choices.map(([value, text]) => el("option", { value, selected: value === (chosen ?? "") }, text)),
  );
}

export function fill(form, data, account) {
  const fields = form.elements;
  const roles = Object.keys(data.may).filter((role) => role !== "leader"); // a leader is created by command
  options(
    fields.role,
    roles.map((role) => [role, t(`role.${role}`)]),
    account?.role ?? "phoner",
  );
  const departments = Object.entries(data.departments).map(([key, title]) => [key, label(title)]);
  const all = data.bound ? [] : [["", t("accounts.no_department")]];
  options(fields.department, [...departments, ...all], account ? account.department : departments[0]?.[0]);
  fields.name.value = account?.name ?? "";
  fields.line.value = account?.line ?? "";
  for (const name of ["role", "department"]) fields[name].disabled = account?.mine ?? false;
  // The same conditions as in engine/listening/mentors.py.
  const mentors = () => {
    const candidates = data.accounts.filter(
      (other) =>
        fields.role.value === "phoner" &&
        other.role === "phoner" &&
        !other.left_at &&
        other.id !== account?.id &&
        (other.department ?? "") === fields.department.value,
    );
    const chosen = account?.mentor ? String(account.mentor) : "";
    options(
      fields.mentor,
      [["", t("accounts.no_mentor")], ...candidates.map((other) => [String(other.id), other.name])],
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
    mentor: fields.mentor.value ? Number(fields.mentor.value) : null,
  };
}
