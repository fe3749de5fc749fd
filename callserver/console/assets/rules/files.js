// The list of files: campaigns, policies in use, policies that nobody uses, and the rest.

import { $, el, show } from "../dom.js";
import { label, t } from "../texts.js";

export function fileList({ rules, drafts, path, paths, open }) {
  const known = new Map([...rules.campaigns, ...rules.policies].map((one) => [one.file, one]));
  const used = new Set(rules.campaigns.map((one) => `policies/${one.document.policy}.yaml`));
  const policies = rules.policies.map((one) => one.file);
  const groups = {
    campaigns: rules.campaigns.map((one) => one.file),
    policies: policies.filter((one) => used.has(one)),
    unused: policies.filter((one) => !used.has(one)),
    others: paths.filter((one) => !known.has(one)),
  };
  const roomy = matchMedia("(min-width: 60rem)").matches;
  for (const [name, found] of Object.entries(groups)) {
    const before = $(`#files [data-group="${name}"]`);
    const shown = before ? before.open : name === "campaigns" || (name === "policies" && roomy);
    const group = el(
      "details",
      { "data-group": name, open: shown || found.includes(path) },
      el("summary", {}, t(`rules.${name}`)),
      el("ul", {}, ...found.map((one) => el("li", {}, button(one, known.get(one))))),
    );
    if (before) before.replaceWith(group);
    else $("#files").append(group);
    show(group, found.length > 0);
  }

  function button(file, found) {
    const title = found?.document.title;
    const name = title === undefined ? file : typeof title === "string" ? title : label(title);
    const mark = file in drafts.texts ? el("span", { class: "badge warn" }, t("rules.changed_mark")) : null;
    const choose = () => {
      open(file);
      $(`#files [aria-current="true"]`)?.focus();
      $("#name").scrollIntoView({ block: "nearest" });
    };
    const current = file === path ? "true" : false;
    return el(
      "button",
      { type: "button", class: "quiet", "aria-current": current, onclick: choose },
      name,
      mark,
    );
  }
}
