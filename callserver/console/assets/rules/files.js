// The list of files: campaigns, policies in use, other policies, and the rest.

import { $, el, show } from "../dom.js";
import { label, t } from "../texts.js";

// A long path breaks after its folder.
const inFolder = (file) => file.split(/(?<=\/)/).flatMap((part) => [part, el("wbr")]);

export function fileList({ rules, drafts, path, paths, open }) {
  const known = new Map([...rules.campaigns, ...rules.policies].map((rule) => [rule.file, rule]));
  const used = new Set(rules.campaigns.map((campaign) => `policies/${campaign.document.policy}.yaml`));
  const policies = rules.policies.map((policy) => policy.file);
  const groups = {
    campaigns: rules.campaigns.map((campaign) => campaign.file),
    policies: policies.filter((file) => used.has(file)),
    unused: policies.filter((file) => !used.has(file)),
    others: paths.filter((file) => !known.has(file)),
  };
  const isWide = matchMedia("(min-width: 60rem)").matches;
  for (const [name, files] of Object.entries(groups)) {
    const before = $(`#files [data-group="${name}"]`);
    const shown = before ? before.open : name === "campaigns" || (name === "policies" && isWide);
    const group = el(
      "details",
      { "data-group": name, open: shown || files.includes(path) },
      el("summary", {}, t(`rules.${name}`)),
      el("ul", {}, ...files.map((file) => el("li", {}, button(file, known.get(file))))),
    );
    if (before) before.replaceWith(group);
    else $("#files").append(group);
    show(group, files.length > 0);
  }

  function button(file, rule) {
    const title = rule?.document.title;
    const name = title === undefined ? inFolder(file) : [label(title)];
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
      ...name,
      mark,
    );
  }
}
