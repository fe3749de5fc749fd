// The campaigns' figures, pausing and resuming a campaign, and the provider's figures.

import { post } from "../api.js";
import { ask, field } from "../dialog.js";
import { $, el, keepFocus } from "../dom.js";
import { label, number, t, when } from "../texts.js";
import { fetchFigures, known, may, onChange } from "./store.js";

const STATUSES = ["ready", "waiting", "call_back", "claimed", "done", "closed"];

function statusText(name, campaign) {
  if (campaign.paused) {
    const values = { when: campaign.since ? when(campaign.since) : "", reason: campaign.reason };
    return t(
      campaign.reason && !campaign.reason.startsWith("provider_")
        ? "floor.paused_because"
        : "floor.paused_when",
      values,
    );
  }
  const figures = known.figures?.campaigns[name];
  if (!figures) return "";
  if (figures.open_now) return t("floor.open_now", { count: number(figures.open_now) });
  if (figures.next_at) return t("floor.opens_at", { when: when(figures.next_at) });
  if (Object.keys(figures.contacts).length) return t("floor.nothing_left");
  return t(may("import") ? "floor.no_list" : "floor.no_list_ask");
}

function bar(contacts) {
  const total = STATUSES.reduce((sum, status) => sum + (contacts[status] ?? 0), 0);
  if (!total) return null;
  const segments = el("div", { class: "bar", "aria-hidden": "true" });
  for (const status of STATUSES) {
    if (!contacts[status]) continue;
    const part = el("span", { class: status });
    part.style.flexGrow = String(contacts[status]);
    segments.append(part);
  }
  return el(
    "div",
    {},
    segments,
    el(
      "ul",
      { class: "legend" },
      ...STATUSES.filter((status) => contacts[status]).map((status) =>
        el(
          "li",
          { class: status },
          el("b", { class: "number" }, number(contacts[status])),
          ` ${t(`floor.status.${status}`, { count: contacts[status] })}`,
        ),
      ),
      el("li", { class: "soft" }, t("floor.people_count", { count: number(total) })),
    ),
  );
}

function refusals(counts, open) {
  const rows = Object.entries(counts).sort((a, b) => b[1] - a[1]);
  if (!rows.length) return null;
  const total = rows.reduce((sum, [, count]) => sum + count, 0);
  return el(
    "details",
    { open },
    el("summary", {}, t("floor.refusals", { count: number(total) })),
    el(
      "ul",
      { class: "reasons" },
      ...rows.map(([reason, count]) =>
        el("li", {}, el("b", { class: "number" }, number(count)), ` ${t(`reason.${reason}`)}`),
      ),
    ),
  );
}

function card(name, campaign, open) {
  const figures = known.figures?.campaigns[name];
  const toggle =
    may("lead_floor") &&
    el(
      "button",
      {
        type: "button",
        class: "small",
        "data-key": name,
        onclick: () => (campaign.paused ? resume(name, campaign) : pause(name, campaign)),
        "aria-label": t("page.of", {
          label: t(campaign.paused ? "floor.resume" : "floor.pause"),
          name: label(campaign.title),
        }),
      },
      t(campaign.paused ? "floor.resume" : "floor.pause"),
    );
  return el(
    "article",
    { class: `campaign${campaign.paused ? " stopped" : ""}`, "data-name": name },
    el(
      "div",
      { class: "row apart" },
      el("h3", {}, label(campaign.title)),
      el(
        "span",
        { class: `badge ${campaign.paused ? "warn" : "good"}` },
        t(campaign.paused ? "floor.stopped_campaign" : "floor.running"),
      ),
    ),
    el("p", { class: "tight" }, statusText(name, campaign)),
    figures && bar(figures.contacts),
    figures &&
      el(
        "p",
        { class: "soft tight" },
        t("floor.today", {
          dials: number(figures.dials),
          answered: number(figures.answered),
          abandoned: number(figures.abandoned),
        }),
      ),
    figures && refusals(figures.refusals, open),
    toggle || null,
  );
}

function pause(name, campaign) {
  ask(
    t("floor.pause_title", { campaign: label(campaign.title) }),
    [
      el("p", {}, t("floor.pause_note")),
      field("reason", t("floor.pause_reason"), el("input", { required: true, maxlength: "200" })),
    ],
    {
      go: t("floor.pause"),
      bad: true,
      does: async ({ reason }) => {
        await post(`/campaigns/${name}`, { paused: true, reason });
        await fetchFigures();
      },
    },
  );
}

// Only the pause that the user sees: another may have begun for a reason of its own.
async function resume(name, campaign) {
  await post(`/campaigns/${name}`, { paused: false, since: campaign.since });
  await fetchFigures();
}

let drawn = "";

function draw() {
  const now = JSON.stringify([known.campaigns, known.figures?.campaigns]);
  if (now === drawn) return;
  drawn = now;
  const box = $("#campaigns");
  const opened = new Set(
    [...box.querySelectorAll("details[open]")].map((refusals) => refusals.closest("article").dataset.name),
  );
  const cards = Object.entries(known.campaigns).map(([name, campaign]) =>
    card(name, campaign, opened.has(name)),
  );
  const none = el("p", { class: "soft" }, t("floor.no_campaigns"));
  keepFocus(() => box.replaceChildren(...(cards.length ? cards : [none])), $("#campaigns-title"), box);
}

function drawProvider() {
  const { provider } = known.figures;
  const pair = (text, value, bad) =>
    el("div", { class: bad ? "bad" : "" }, el("dt", {}, text), el("dd", { class: "number" }, value));
  $("#provider").title = t("floor.provider_note");
  $("#provider").replaceChildren(
    pair(
      t("floor.provider_rate"),
      t("floor.provider_rate_value", {
        used: number(provider.per_second),
        most: number(provider.most_per_second),
      }),
    ),
    pair(t("floor.provider_taken"), number(provider.taken)),
    pair(t("floor.provider_declined"), number(provider.declined), provider.declined > 0),
    pair(t("floor.provider_silent"), number(provider.silent), provider.silent > 0),
  );
}

onChange((what) => {
  if (what.has("floor") || what.has("figures")) draw();
  if (what.has("figures")) drawProvider();
});
