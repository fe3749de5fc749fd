// The rules: in words first, then their files; a change is checked while it is typed.

import { get, post } from "./api.js";
import { $, el, onSubmit, show, toast } from "./dom.js";
import { follow } from "./live.js";
import { Drafts } from "./rules_drafts.js";
import { editor } from "./rules_editor.js";
import { decidedProposal, openProposal } from "./rules_proposals.js";
import { diffView, effectForm, looserList } from "./rules_show.js";
import { campaignWords, policyWords } from "./rules_words.js";
import { dateTime, label, t } from "./texts.js";

const { change, approve } = $(".rules").dataset;
const rights = { change: change === "yes", approve: approve === "yes" };
const drafts = new Drafts();
const text = editor({ writable: rights.change, onInput: typed });
let rules;
let path; // the file that is shown
let checked = { problems: [], looser: [], changed: [], diff: {} };
let typing;
let turn = 0;

const kept = (at) => rules.texts[at] ?? null;
const documents = () => [...rules.campaigns, ...rules.policies];
const titles = () => Object.fromEntries(rules.campaigns.map((one) => [one.name, label(one.document.title)]));
const paths = () => [...new Set([...Object.keys(rules.texts), ...Object.keys(drafts.texts)])].sort();

async function anew() {
  rules = await get("/rules");
  drafts.settle(rules.texts);
  $("#since").textContent = t("rules.since", { when: dateTime(rules.since), revision: rules.revision.slice(0, 8) });
  show($("#ahead"), rules.ahead);
  proposals();
  if (!path || !paths().includes(path)) path = documents()[0]?.file ?? paths()[0];
  open(path);
  await check();
}

// -- which file ---------------------------------------------------------------------------------

function files() {
  const known = new Map(documents().map((one) => [one.file, one]));
  const used = new Set(rules.campaigns.map((one) => `policies/${one.document.policy}.yaml`));
  const policies = rules.policies.map((one) => one.file);
  const groups = {
    campaigns: rules.campaigns.map((one) => one.file),
    policies: policies.filter((one) => used.has(one)),
    unused: policies.filter((one) => !used.has(one)),
    others: paths().filter((one) => !known.has(one)),
  };
  const roomy = matchMedia("(min-width: 60rem)").matches;
  for (const [name, found] of Object.entries(groups)) {
    const before = $(`#files [data-group="${name}"]`);
    const open = before ? before.open : name === "campaigns" || (name === "policies" && roomy);
    const group = el(
      "details",
      { "data-group": name, open: open || found.includes(path) },
      el("summary", {}, t(`rules.${name}`)),
      el("ul", {}, ...found.map((one) => el("li", {}, fileButton(one, known.get(one))))),
    );
    if (before) before.replaceWith(group);
    else $("#files").append(group);
    show(group, found.length > 0);
  }
}

function fileButton(file, found) {
  const title = found?.document.title;
  const name = title === undefined ? file : typeof title === "string" ? title : label(title);
  return el(
    "button",
    {
      type: "button",
      class: "quiet",
      "aria-current": file === path ? "true" : false,
      onclick: () => {
        open(file);
        $("#name").scrollIntoView({ block: "nearest" });
      },
    },
    name,
    file in drafts.texts ? el("span", { class: "badge warn" }, t("rules.changed_mark")) : null,
  );
}

function open(file) {
  path = file;
  const found = documents().find((one) => one.file === file);
  const campaign = rules.campaigns.includes(found);
  const title = found?.document.title;
  $("#name").textContent = title === undefined ? file : campaign ? label(title) : title;
  $("#used").textContent = found && !campaign ? users(found.name) : "";
  $("#words").replaceChildren(
    ...(found ? (campaign ? campaignWords(found.document) : policyWords(found.document)) : []),
  );
  show($("#of-now"), found !== undefined && file in drafts.texts);
  $("#source-title").textContent = t("rules.file_of", { path: file });
  if (!found) $("#source").open = true;
  const draft = drafts.of(file, kept(file));
  text.open(file, draft ?? t("rules.removed"));
  $("#text").readOnly = !rights.change || draft === null;
  tools();
  files();
  text.problems(checked.problems.filter((one) => one.file === path));
}

function tools() {
  if (!rights.change) return;
  show($("#reset"), path in drafts.texts);
  show($("#remove"), drafts.of(path, kept(path)) !== null);
}

function users(policy) {
  const names = rules.campaigns.filter((one) => one.document.policy === policy).map((one) => label(one.document.title));
  return names.length ? t("rules.used_by", { names: names.join(", ") }) : t("rules.used_by_nobody");
}

// -- a change -----------------------------------------------------------------------------------

function typed(value) {
  drafts.set(path, value, kept(path));
  clearTimeout(typing);
  typing = setTimeout(check, 500);
  $("#standing").textContent = t("rules.checking");
  $("#go").disabled = true;
  show($("#change"), drafts.any);
  show($("#of-now"), $("#words").hasChildNodes());
  tools();
  files();
}

async function check() {
  show($("#change"), drafts.any);
  if (!rights.change || !drafts.any) {
    checked = { problems: [], looser: [], changed: [], diff: {} };
    text.problems([]);
    return;
  }
  const mine = (turn += 1);
  try {
    const found = await post("/rules/check", { texts: drafts.texts });
    if (mine !== turn) return; // something else was typed meanwhile
    checked = found;
  } catch (error) {
    checked = { problems: [{ file: path, line: 1, key: "-", why: error.message }], looser: [], changed: [], diff: {} };
  }
  shown();
}

function shown() {
  const { problems, looser, changed, diff } = checked;
  text.problems(problems.filter((one) => one.file === path));
  const count = problems.length;
  const standing =
    count === 0 ? t("rules.no_problems") : count === 1 ? t("rules.problems_one") : t("rules.problems_many", { count });
  $("#standing").textContent = `${standing} ${t("rules.files_changed", { files: changed.join(", ") })}`;
  $("#problems").replaceChildren(
    ...problems.map((one) =>
      el(
        "li",
        {},
        el("button", { type: "button", class: "quiet", onclick: () => visit(one) }, t("rules.problem_at", one)),
        ` ${one.why}`,
      ),
    ),
  );
  const good = count === 0;
  $("#looser").replaceChildren(
    ...(!good
      ? []
      : looser.length
        ? [el("p", {}, el("strong", {}, t("rules.looser_title"))), looserList(looser)]
        : [el("p", { class: "note" }, t("rules.stricter"))]),
  );
  $("#diff > div").replaceChildren(...diffView(diff));
  show($("#effect"), good);
  show($("#why-label"), good && looser.length > 0);
  $("#why-label textarea").required = good && looser.length > 0;
  $("#go").textContent = t(looser.length ? "rules.propose" : "rules.activate");
  $("#go").disabled = !good || changed.length === 0;
}

function visit({ file, line }) {
  if (paths().includes(file)) {
    open(file);
    $("#source").open = true;
    text.goTo(line);
  }
}

if (rights.change) {
  $("#effect > div").replaceChildren(effectForm("/rules/effect", () => ({ texts: drafts.texts }), titles));
  onSubmit($("#propose"), async ({ why }) => {
    const made = await post("/rules/proposals", { texts: drafts.texts, why });
    drafts.clear();
    $("#propose").reset();
    toast(t(made.proposal === null ? "rules.active" : "rules.waits"), "good");
    if (made.proposal === null) toast(t(`rules.written.${made.written}`));
    await anew();
  });
  $("#discard").addEventListener("click", async () => {
    if (!confirm(t("rules.discard_sure"))) return;
    drafts.clear();
    await anew();
  });
  $("#reset").addEventListener("click", () => {
    drafts.set(path, kept(path), kept(path));
    if (paths().includes(path)) open(path);
    else open(paths()[0]);
    check();
  });
  $("#remove").addEventListener("click", () => {
    drafts.set(path, null, kept(path));
    if (paths().includes(path)) open(path);
    else open(documents()[0].file);
    check();
  });
  $("#new").addEventListener("click", () => $("#new-file").showModal());
  $("#new-cancel").addEventListener("click", () => $("#new-file").close());
  $("#new-file form").addEventListener("submit", (event) => {
    const { name } = Object.fromEntries(new FormData(event.target));
    const folder = path.includes("/") ? path.split("/")[0] : "campaigns";
    const made = `${folder}/${name}.${folder === "scripts" ? "md" : "yaml"}`;
    const copied = (drafts.of(path, kept(path)) ?? "").replace(/^name: .*$/m, `name: ${name}`);
    drafts.set(made, copied, kept(made));
    event.target.reset();
    open(made);
    $("#source").open = true;
    check();
  });
}

// -- proposals ----------------------------------------------------------------------------------

function proposals() {
  const waiting = rules.proposals.filter((one) => one.state === "open");
  const decided = rules.proposals.filter((one) => one.state !== "open");
  show($("#waiting"), waiting.length > 0);
  show($("#decided"), decided.length > 0);
  $("#open-proposals").replaceChildren(...waiting.map((one) => openProposal(one, rights, titles, anew)));
  $("#decided-proposals").replaceChildren(...decided.map(decidedProposal));
}

await anew();
follow(anew, {
  rules: async ({ revision }) => {
    const other = revision !== rules.revision;
    await anew();
    if (other && drafts.any) toast(t("rules.moved_on"));
  },
});
