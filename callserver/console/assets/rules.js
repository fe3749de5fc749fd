// The rules page: files in words and as text; a change is checked while it is typed.

import { get, post } from "./api.js";
import { confirm } from "./dialog.js";
import { $, el, newest, onSubmit, passFocus, show, toast } from "./dom.js";
import { keepForm } from "./kept.js";
import { follow } from "./live.js";
import { diffView, looserList } from "./rules/differences.js";
import { Drafts } from "./rules/drafts.js";
import { editor } from "./rules/editor.js";
import { effectForm } from "./rules/effect.js";
import { fileList } from "./rules/files.js";
import { campaignWords, policyWords } from "./rules/in_words.js";
import { listProposals } from "./rules/proposals.js";
import { dateTime, label, list, setClock, t } from "./texts.js";

const { change, approve } = $(".rules").dataset;
const rights = { change: change === "yes", approve: approve === "yes" };
const drafts = new Drafts();
const text = editor({ writable: rights.change, onInput: typed });
let rules;
let path; // the file that is shown
let checkResult = { problems: [], looser: [], changed: [], diff: {} };
let typing;
let latestCheck = 0; // so that a late answer to an earlier check is dropped

const inForce = (file) => rules.texts[file] ?? null;
const documents = () => [...rules.campaigns, ...rules.policies];
const titles = () =>
  Object.fromEntries(rules.campaigns.map((campaign) => [campaign.name, label(campaign.document.title)]));
const paths = () => [...new Set([...Object.keys(rules.texts), ...Object.keys(drafts.texts)])].sort();

const refresh = newest(async () => {
  const before = rules?.revision;
  rules = await get("/rules");
  setClock(rules.now);
  drafts.settle(rules.texts);
  $("#since").textContent = t("rules.since", {
    when: dateTime(rules.since),
    revision: rules.revision.slice(0, 8),
  });
  show($("#files-differ"), rules.ahead);
  show($("#unreviewed"), rules.unreviewed);
  listProposals(rules.proposals, rights, titles, refresh);
  const gone = !path || !paths().includes(path);
  if (gone) path = documents()[0]?.file ?? paths()[0];
  if (gone || before !== rules.revision) open(path); // otherwise the caret keeps its place
  await check();
});

// -- which file ---------------------------------------------------------------------------------

const files = () => fileList({ rules, drafts, path, paths: paths(), open });

function inWords(campaign) {
  const policy = rules.policies.find((entry) => entry.name === campaign.policy);
  return campaignWords(campaign, {
    department: label(rules.departments[campaign.department]),
    policy: label(policy.document.title),
  });
}

function open(file) {
  path = file;
  const rule = documents().find((entry) => entry.file === file);
  const isCampaign = rules.campaigns.includes(rule);
  const title = rule?.document.title;
  $("#name").textContent = title === undefined ? file : label(title);
  $("#used").textContent = rule && !isCampaign ? users(rule.name) : "";
  $("#words").replaceChildren(
    ...(rule ? (isCampaign ? inWords(rule.document) : policyWords(rule.document)) : []),
  );
  show($("#in-force-hint"), rule !== undefined && file in drafts.texts);
  show($("#in-words"), $("#words").hasChildNodes());
  $("#source-title").textContent = t(rights.change ? "rules.edit_file" : "rules.file_of", { path: file });
  if (!rule) $("#source").open = true;
  const draft = drafts.of(file, inForce(file));
  text.open(file, draft ?? t("rules.removed"));
  $("#text").readOnly = !rights.change || draft === null;
  tools();
  files();
  text.problems(checkResult.problems.filter((problem) => problem.file === path));
}

function tools() {
  if (!rights.change) return;
  show($("#reset"), path in drafts.texts);
  show($("#remove"), drafts.of(path, inForce(path)) !== null);
}

function users(policy) {
  const names = rules.campaigns
    .filter((campaign) => campaign.document.policy === policy)
    .map((campaign) => label(campaign.document.title));
  return names.length ? t("rules.used_by", { names: list(names) }) : t("rules.used_by_nobody");
}

// -- a change -----------------------------------------------------------------------------------

function typed(value) {
  drafts.set(path, value, inForce(path));
  clearTimeout(typing);
  typing = setTimeout(check, 500);
  $("#check-result").textContent = t("rules.checking");
  ready(false);
  show($("#change"), drafts.any);
  show($("#in-force-hint"), path in drafts.texts && $("#words").hasChildNodes());
  tools();
  files();
}

async function check() {
  show($("#change"), drafts.any);
  latestCheck += 1;
  const thisCheck = latestCheck;
  if (!rights.change || !drafts.any) {
    checkResult = { problems: [], looser: [], changed: [], diff: {} };
    text.problems([]);
    return;
  }
  const checked = path;
  const result = await post("/rules/check", { texts: drafts.texts }).catch((error) => ({
    problems: [{ file: checked, line: 1, key: "-", why: error.message }],
    looser: [],
    changed: [],
    diff: {},
  }));
  if (thisCheck !== latestCheck) return; // the text has changed meanwhile
  checkResult = result;
  drawCheck();
}

function drawCheck() {
  const { problems, looser, changed, diff } = checkResult;
  text.problems(problems.filter((problem) => problem.file === path));
  const count = problems.length;
  const summary = count === 0 ? t("rules.no_problems") : t("rules.problems", { count });
  $("#check-result").textContent = `${summary} ${t("rules.files_changed", { files: list(changed) })}`;
  $("#problems").replaceChildren(
    ...problems.map((problem) =>
      el(
        "li",
        {},
        el(
          "button",
          { type: "button", class: "quiet", onclick: () => goToProblem(problem) },
          t("rules.problem_at", problem),
        ),
        ` ${problem.why}`,
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
  $("#activate").textContent = t(looser.length ? "rules.propose" : "rules.activate");
  ready(good && changed.length > 0);
}

// aria-disabled instead of disabled: the button keeps the focus, and pressing it says what is wrong.
function ready(good) {
  if (good) show($("#propose .wrong"), false);
  $("#activate").setAttribute("aria-disabled", String(!good));
}

function goToProblem({ file, line }) {
  if (paths().includes(file)) {
    open(file);
    $("#source").open = true;
    text.goTo(line);
  }
}

// Why the rules change, and whether it is ethically sound.
const reasons = rights.change && keepForm($("#propose"), () => "rules.reasons");

// No draft is left, and none is shown.
function clear() {
  drafts.clear();
  open(paths().includes(path) ? path : paths()[0]);
}

if (rights.change) {
  reasons.bring();
  onSubmit($("#propose"), async ({ why, ethics }) => {
    if ($("#activate").getAttribute("aria-disabled") === "true")
      throw new Error($("#check-result").textContent);
    const focused = document.activeElement;
    const sent = { ...drafts.texts };
    const answer = await post("/rules/proposals", { texts: sent, why, ethics });
    // What was typed while it was sent stays.
    drafts.drop(sent);
    if (!(path in drafts.texts)) open(paths().includes(path) ? path : paths()[0]);
    reasons.drop();
    for (const [name, value] of Object.entries({ why, ethics })) {
      const typedIn = $("#propose").elements[name];
      if (typedIn.value === value) typedIn.value = "";
    }
    toast(t(answer.proposal === null ? "rules.active" : "rules.waits"), "good");
    if (answer.proposal === null) toast(t(`rules.written.${answer.written}`));
    await refresh();
    passFocus(focused, $("#name"));
  });
  $("#discard").addEventListener("click", () =>
    confirm(t("rules.discard"), t("rules.discard_sure"), {
      go: t("rules.discard"),
      bad: true,
      does: async () => {
        clear();
        await refresh();
      },
    })
      .closest("dialog")
      .addEventListener("close", () => passFocus($("#discard"), $("#name")), { once: true }),
  );
  $("#reset").addEventListener("click", () => {
    drafts.set(path, inForce(path), inForce(path));
    if (paths().includes(path)) open(path);
    else open(paths()[0]);
    passFocus($("#reset"), $("#text"));
    check();
  });
  $("#remove").addEventListener("click", () => {
    drafts.set(path, null, inForce(path));
    if (paths().includes(path)) open(path);
    else open(documents()[0].file);
    passFocus($("#remove"), $("#text"));
    check();
  });
  $("#new").addEventListener("click", () => $("#new-file").showModal());
  $("#new-cancel").addEventListener("click", () => $("#new-file").close());
  onSubmit($("#new-file form"), ({ name }) => {
    const folder = path.includes("/") ? path.split("/")[0] : "campaigns";
    const file = `${folder}/${name}.${folder === "scripts" ? "md" : "yaml"}`;
    const copied = (drafts.of(path, inForce(path)) ?? "").replace(/^name: .*$/m, `name: ${name}`);
    drafts.set(file, copied, inForce(file));
    $("#new-file form").reset();
    $("#new-file").close();
    open(file);
    $("#source").open = true;
    check();
  });
}

await follow(refresh, {
  rules: async ({ revision }) => {
    const other = revision !== rules.revision;
    await refresh();
    if (other && drafts.any) toast(t("rules.moved_on"));
  },
});
if (rights.change) {
  $("#effect > div").replaceChildren(effectForm("/rules/effect", () => ({ texts: drafts.texts }), titles));
}
