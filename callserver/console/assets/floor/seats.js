// The grid of seats: hands first, then by name or by how long in the same state; never by outcomes.

import { $, el, show } from "../dom.js";
import { label, lasting, t } from "../texts.js";
import { icon } from "./icons.js";
import { canListen, listenTo } from "./listening.js";
import { campaign, isIdle, notes, state, TONES, why } from "./seat_words.js";
import { choose, known, onChange } from "./store.js";

const MANY = 48; // from here on the tiles are small: all of them at a glance
const ORDER = ["talking", "ringing", "reserved", "wrapping_up", "waiting", "paused", "connecting"];

const list = $("#seats");
const filters = $("#filters").elements;
const tiles = new Map();
let hands = new Set();

function shown() {
  const found = known.seats.filter(
    (seat) =>
      (filters.off.checked || seat.state !== "off") &&
      (!filters.department.value || seat.department === filters.department.value) &&
      (!filters.campaign.value || seat.campaign === filters.campaign.value),
  );
  const before = {
    name: () => 0, // as they come: by name
    time: (one, other) => one.since.localeCompare(other.since),
  }[filters.sort.value];
  return found.sort(
    (one, other) =>
      Boolean(other.hand_at) - Boolean(one.hand_at) ||
      (one.hand_at ?? "").localeCompare(other.hand_at ?? "") ||
      (one.state === "off") - (other.state === "off") ||
      before(one, other),
  );
}

function tile(id) {
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
  const ear = el("button", {
    type: "button",
    class: "listen",
    tabindex: "-1",
    onclick: () => listenTo(id, "silent"),
  });
  ear.append(icon("ear"));
  const made = { item: el("li", {}, main, ear), main, ear, name, marks, word, time, more, rest };
  tiles.set(id, made);
  return made;
}

function draw(seat) {
  const one = tiles.get(seat.id) ?? tile(seat.id);
  const said = notes(seat);
  one.main.className = `seat ${TONES[seat.state]} ${seat.hand_at ? "hand" : isIdle(seat) ? "idle" : ""}`;
  one.name.textContent = seat.name;
  one.word.textContent = state(seat);
  one.time.dataset.since = seat.since;
  one.time.textContent = lasting(seat.since);
  const marks = [
    seat.hand_at && "hand",
    seat.listeners.length && "ear",
    !seat.connected && seat.state !== "off" && "unplugged",
  ].filter(Boolean);
  if (one.marks.dataset.shown !== marks.join()) {
    one.marks.dataset.shown = marks.join();
    one.marks.replaceChildren(...marks.map(icon));
  }
  one.more.textContent = said[0] ?? (why(seat) || campaign(seat));
  one.rest.textContent = [why(seat), campaign(seat), ...said].filter(Boolean).join(", ");
  one.main.title = `${seat.name}: ${[state(seat), one.rest.textContent].filter(Boolean).join(", ")}`;
  one.main.setAttribute("aria-current", String(known.chosen === seat.id));
  show(one.ear, canListen("silent") && seat.connected);
  one.ear.setAttribute("aria-label", `${t("floor.listen")}: ${seat.name}`);
  one.ear.title = t("floor.listen");
  return one.item;
}

function drawAll() {
  const seats = shown();
  const focused = document.activeElement;
  const items = seats.map(draw);
  for (const [id, one] of tiles) {
    if (!known.seats.some((seat) => seat.id === id)) tiles.delete(id);
    if (!items.includes(one.item)) one.item.remove();
  }
  items.forEach((item, place) => {
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
  });
  if (focused !== document.activeElement && list.contains(focused)) focused.focus();
  list.classList.toggle("many", seats.length > MANY);
  if (!$('[tabindex="0"]', list)) $("button", list)?.setAttribute("tabindex", "0");
  const working = known.seats.filter((seat) => seat.state !== "off").length;
  $("#count").textContent = t("floor.count", { count: working });
  $("#empty").textContent = t(working || filters.off.checked ? "floor.nobody_here" : "floor.nobody");
  show($("#empty"), !seats.length);
  drawTally(seats);
  sayHands();
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

function sayHands() {
  const now = new Set(known.seats.filter((seat) => seat.hand_at).map((seat) => seat.id));
  const fresh = known.seats.filter((seat) => now.has(seat.id) && !hands.has(seat.id));
  if (fresh.length)
    $("#said").textContent = fresh.map((seat) => `${seat.name}: ${t("floor.hand")}`).join(". ");
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
    Object.entries(known.campaigns).map(([name, one]) => [name, label(one.title)]),
  );
}

// One stop for the Tab key; the arrows walk from tile to tile, → reaches the ear beside it.
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
  const seats = buttons.filter((one) => one.classList.contains("seat"));
  const here = document.activeElement;
  const column = seats.filter(
    (one) => Math.abs(one.offsetLeft - here.closest("li").firstChild.offsetLeft) < 4,
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
  for (const one of list.querySelectorAll('[tabindex="0"]')) one.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
});

for (const one of [filters.department, filters.campaign, filters.sort, filters.off]) {
  one.addEventListener("change", drawAll);
}
$("#filters").addEventListener("submit", (event) => event.preventDefault());
onChange((what) => {
  if (what.has("floor")) drawFilters();
  if (what.has("floor") || what.has("chosen") || what.has("mine")) drawAll();
});
setInterval(() => {
  for (const one of document.querySelectorAll("[data-since]")) one.textContent = lasting(one.dataset.since);
}, 1000);
