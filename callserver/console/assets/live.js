// Server-sent events. `refresh` fetches everything; `events` maps an event's name to its handler. The first
// stream begins where the log ended before the page fetched anything, so that nothing is missed in between.
// The banner reports a lost connection; after reconnecting everything is fetched again, and the banner stays
// until that has succeeded. So it is when a handler cannot fetch what it needs, and when the page is opened.

import { get, Problem } from "./api.js";
import { $, el, show } from "./dom.js";
import { t } from "./texts.js";

const AGAIN_MS = 2000;
const BACK_SHOWN_MS = 4000;
const SILENT_MS = 45_000; // the server says that it is there every 15 seconds
const LISTEN_MS = 5000;
const OF_EVERY_PAGE = ["my_support", "call_in_hand"]; // for support/box.js

// What a page without a stream fetches at first: again and again until it succeeds.
export async function untilAnswered(work) {
  for (;;) {
    try {
      const answer = await work();
      show($("#banner"), false);
      return answer;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      $("#banner").textContent = t("page.lost");
      show($("#banner"));
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

// Resolves when everything has been fetched once.
export async function follow(refresh, events) {
  const banner = $("#banner");
  let source;
  let isBehind = false; // what the page shows may be out of date
  let heard = 0; // when the stream has last said something
  let position = $('meta[name="log-position"]').content; // in the log, up to which it has told
  let turn = 0; // counts connecting, losing the connection and fetching: only the latest continues
  let meanwhile = null; // the events that came while everything was fetched: they may be newer than the answers

  function fallBehind() {
    if (isBehind) return;
    isBehind = true;
    banner.textContent = t("page.lost");
    show(banner);
  }

  // Fetches everything, again and again until it succeeds or the connection is lost.
  async function catchUp() {
    turn += 1;
    const mine = turn;
    while (mine === turn) {
      meanwhile = [];
      try {
        await refresh();
        if (mine !== turn) return;
        const newer = meanwhile;
        meanwhile = null;
        await Promise.all(newer.map((handle) => handle()));
        if (mine === turn) isUpToDate();
        return;
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        fallBehind();
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  async function take(handle) {
    meanwhile?.push(handle);
    try {
      await handle();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      catchUp();
    }
  }

  function isUpToDate() {
    if (!isBehind) return;
    isBehind = false;
    banner.textContent = t("page.back");
    setTimeout(() => show(banner, isBehind), BACK_SHOWN_MS);
    lookForUpgrade();
  }

  // The server may have been upgraded meanwhile: its new answers are for its new pages.
  async function lookForUpgrade() {
    const answer = await fetch(location.pathname, { method: "HEAD" }).catch(() => null);
    const revision = answer?.headers.get("x-revision");
    if (revision && !document.body.dataset.assets.endsWith(revision)) show($("#upgraded"));
  }

  // The stream was refused. A user who is signed out is led to the sign-in page, if the page may be left; where
  // another user has signed in, the page says that it is out of date.
  async function openAgain() {
    try {
      await get("/me");
    } catch (error) {
      if (error.status === 401)
        banner.replaceChildren(error.message, " ", el("a", { href: "/sign-in" }, t("sign_in.go")));
      if (error.status === 403) banner.textContent = error.message;
    }
    open();
  }

  // A connection may be dead and the browser not know: a router has forgotten it, or the computer has slept. A new
  // one goes on where it was; the banner reports it if that one is not open either.
  function listen() {
    if (performance.now() - heard < SILENT_MS || source.readyState === EventSource.CLOSED) return;
    if (source.readyState === EventSource.CONNECTING) fallBehind();
    source.close();
    open(position);
  }

  function open(after = "") {
    const names = [...Object.keys(events), ...OF_EVERY_PAGE, "here"];
    heard = performance.now();
    const hears = ({ lastEventId }) => {
      heard = performance.now();
      position = lastEventId || position;
    };
    const { user } = document.body.dataset;
    source = new EventSource(`/api/v1/events?of=${names.join()}&user=${user}&after=${after}`);
    for (const name of ["open", "refresh", ...names]) source.addEventListener(name, hears);
    source.addEventListener("open", () => isBehind && catchUp());
    source.addEventListener("error", () => {
      turn += 1;
      fallBehind();
      if (source.readyState === EventSource.CLOSED) setTimeout(openAgain, AGAIN_MS);
    });
    source.addEventListener("refresh", catchUp);
    for (const name of OF_EVERY_PAGE) {
      source.addEventListener(name, ({ data }) =>
        document.dispatchEvent(new CustomEvent(name, { detail: JSON.parse(data) })),
      );
    }
    for (const [name, does] of Object.entries(events)) {
      source.addEventListener(name, (event) => take(async () => does(JSON.parse(event.data))));
    }
  }

  await catchUp();
  open(position);
  setInterval(listen, LISTEN_MS);
  window.addEventListener("pagehide", () => source.close());
}
