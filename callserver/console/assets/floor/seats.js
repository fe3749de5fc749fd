// The grid of seats: raised hands first, then by name or by time in the same state; never by outcomes.

import { $, el, show } from "../dom.js";
import { label, lasting, t } from "../texts.js";
import { icon } from "./icons.js";
import { canListen, listenTo } from "./listening.js";
import { campaign, isIdle, notes, state, TONES, why } from "./seat_words.js";
import { choose, known, onChange } from "./store.js";

const MANY = 48; // with more tiles than this they are small, so that all fit on the screen
const ORDER = ["talking", "ringing", "reserved", "wrapping_up", "waiting", "paused", "connecting"];

const list = $("#seats");
const filters = $("#filters").elements;
const tiles = new Map();
let hands = new Set();

function shown() {
  const visible = known.seats.filter(
    (seat) =>
      (filters.off.checked || seat.state !== "off") &&
      (!filters.department.value || seat.department === filters.department.value) &&
      (!filters.campaign.value || seat.campaign === filters.campaign.value),
  );
  const order = {
    name: () => 0, // the server sorts by name
    time: (a, b) => a.since.localeCompare(b.since),
  }[filters.sort.value];
  return visible.sort(
    (a, b) =>
      Boolean(b.hand_at) - Boolean(a.hand_at) ||
      (a.hand_at ?? "").localeCompare(b.hand_at ?? "") ||
      (a.state === "off") - (b.state === "off") ||
      order(a, b),
  );
}

function makeTile(id) {
  const name = el("span", { class: "name" });
  const marks = el("span", { class: "marks", "aria-hidden": "true" });
  const word = el("span", { class: "word" });
  const time = el("span", { class: "time number" });
  const more = el("span", { class: "more", "aria-hidden": "true" });
  const rest = el("span", { class: "sr" });
  const main = el(
    "button",
    { type: "button", class: "seat", tabindex: "-1", onclick: () => choose(id) },
    el("span", { class: "line" }, name, marks),
    " ",
    el("span", { class: "line" }, word, " ", time),
    more,
    " ",
    rest,
  );
  const listen = el("button", {
    type: "button",
    class: "listen",
    tabindex: "-1",
    onclick: () => listenTo(id, "silent"),
  });
  listen.append(icon("ear"));
  const tile = { item: el("li", {}, main, listen), main, listen, name, marks, word, time, more, rest };
  tiles.set(id, tile);
  return tile;
}

function draw(seat) {
  const tile = tiles.get(seat.id) ?? makeTile(seat.id);
  const texts = notes(seat);
  tile.main.className = `seat ${TONES[seat.state]} ${seat.hand_at ? "hand" : isIdle(seat) ? "idle" : ""}`;
  tile.name.textContent = seat.name;
  tile.word.textContent = state(seat);
  tile.time.dataset.since = seat.since;
  tile.time.textContent = lasting(seat.since);
  const marks = [
    seat.hand_at && "hand",
    seat.listeners.length && "ear",
    !seat.connected && seat.state !== "off" && "unplugged",
  ].filter(Boolean);
  if (tile.marks.dataset.shown !== marks.join()) {
    tile.marks.dataset.shown = marks.join();
    tile.marks.replaceChildren(...marks.map(icon));
  }
  tile.more.textContent = texts[0] ?? (why(seat) || campaign(seat));
  tile.rest.textContent = [why(seat), campaign(seat), ...texts].filter(Boolean).join(", ");
  tile.main.title = t("page.of", {
    label: seat.name,
    name: [state(seat), tile.rest.textContent].filter(Boolean).join(", "),
  });
  tile.main.setAttribute("aria-current", String(known.chosen === seat.id));
  const mayListen = canListen("silent") && seat.connected;
  if (!mayListen && tile.listen.tabIndex === 0) {
    tile.main.tabIndex = 0; // the Tab key's stop is never a button that is hidden
    tile.listen.tabIndex = -1;
    if (tile.listen === document.activeElement) tile.main.focus();
  }
  show(tile.listen, mayListen);
  tile.listen.setAttribute("aria-label", t("page.of", { label: t("floor.listen"), name: seat.name }));
  tile.listen.title = t("floor.listen");
  return tile.item;
}

function drawAll() {
  const seats = shown();
  const focused = document.activeElement;
  const items = seats.map(draw);
  for (const [id, tile] of tiles) {
    if (!known.seats.some((seat) => seat.id === id)) tiles.delete(id);
    if (!items.includes(tile.item)) tile.item.remove();
  }
  items.forEach((item, place) => {
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
  });
  if (focused !== document.activeElement && list.contains(focused)) focused.focus();
  list.classList.toggle("dense", seats.length > MANY);
  if (!$('[tabindex="0"]', list)) $("button", list)?.setAttribute("tabindex", "0");
  const working = known.seats.filter((seat) => seat.state !== "off").length;
  $("#count").textContent = t("floor.count", { count: working });
  $("#empty").textContent = t(working || filters.off.checked ? "floor.nobody_here" : "floor.nobody");
  show($("#empty"), !seats.length);
  drawTally(seats);
  announceHands();
}

function drawTally(seats) {
  const counted = ORDER.map((name) => [name, seats.filter((seat) => seat.state === name).length]);
  const hands = seats.filter((seat) => seat.hand_at).length;
  const idle = seats.filter(isIdle).length;
  const item = (kind, count, words) =>
    el("li", { class: kind }, el("b", { class: "number" }, String(count)), ` ${words}`);
  $("#tally").replaceChildren(
    ...(hands ? [item("hand", hands, t("floor.hand"))] : []),
    ...(idle ? [item("idle", idle, t("floor.idle"))] : []),
    ...counted
      .filter(([, count]) => count)
      .map(([name, count]) => item(TONES[name], count, t(`floor.state.${name}`))),
  );
}

function announceHands() {
  const now = new Set(known.seats.filter((seat) => seat.hand_at).map((seat) => seat.id));
  const fresh = known.seats.filter((seat) => now.has(seat.id) && !hands.has(seat.id));
  if (fresh.length)
    $("#said").textContent = fresh.map((seat) => t("floor.hand_of", { name: seat.name })).join(" ");
  hands = now;
}

function fill(select, options) {
  const before = select.value;
  const all = [["", t("floor.all")], ...options];
  if (select.children.length === all.length) return;
  select.replaceChildren(...all.map(([value, text]) => el("option", { value }, text)));
  select.value = all.some(([value]) => value === before) ? before : "";
}

function drawFilters() {
  const departments = Object.entries(known.departments);
  fill(
    filters.department,
    departments.map(([name, title]) => [name, label(title)]),
  );
  show($("#department-label"), departments.length > 1);
  fill(
    filters.campaign,
    Object.entries(known.campaigns).map(([name, { title }]) => [name, label(title)]),
  );
}

// The grid is one stop for the Tab key: the arrows move between tiles, → reaches a tile's listen button.
list.addEventListener("keydown", (event) => {
  const steps = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowDown: "down",
    ArrowUp: "up",
    Home: "first",
    End: "last",
  };
  const step = steps[event.key];
  if (step === undefined) return;
  const buttons = [...list.querySelectorAll("button:not([hidden])")];
  const seats = buttons.filter((button) => button.classList.contains("seat"));
  const here = document.activeElement;
  const column = seats.filter(
    (seat) => Math.abs(seat.offsetLeft - here.closest("li").firstChild.offsetLeft) < 4,
  );
  const row = column.indexOf(here.closest("li").firstChild);
  const next =
    {
      first: seats[0],
      last: seats.at(-1),
      down: column[row + 1],
      up: column[row - 1],
    }[step] ?? (typeof step === "number" ? buttons[buttons.indexOf(here) + step] : null);
  if (!next) return;
  event.preventDefault();
  for (const button of list.querySelectorAll('[tabindex="0"]')) button.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
});

for (const filter of [filters.department, filters.campaign, filters.sort, filters.off]) {
  filter.addEventListener("change", drawAll);
}
$("#filters").addEventListener("submit", (event) => event.preventDefault());
onChange((what) => {
  if (what.has("floor")) drawFilters();
  if (what.has("floor") || what.has("chosen") || what.has("mine")) drawAll();
});
setInterval(() => {
  for (const element of document.querySelectorAll("[data-since]"))
    element.textContent = lasting(element.dataset.since);
}, 1000);
