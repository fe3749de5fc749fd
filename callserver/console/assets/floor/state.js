// What the page knows: the floor as last told, the figures, what I hear, which seat I look at.

import { get } from "../api.js";
import { toast } from "../dom.js";
import { has, t } from "../texts.js";

export const known = {
  me: null, // {id, may, department}
  seats: [],
  campaigns: {},
  departments: {},
  figures: null,
  mine: null, // what I listen to, and what I may
  chosen: null, // a seat's id
  details: null, // of the chosen seat
};

// A listening that ended without my doing says why.
function ended({ name, because }) {
  if (has(`listen_end.${because}`)) toast(t(`listen_end.${because}`, { name }));
}

const listeners = new Set();

export const onChange = (draw) => listeners.add(draw);

export function changed(...what) {
  for (const draw of listeners) draw(new Set(what));
}

export const may = (action) => known.me.may.includes(action);
export const seatOf = (id) => known.seats.find((seat) => seat.id === id);

export function take(floor) {
  known.seats = floor.seats;
  known.campaigns = floor.campaigns;
  known.departments = floor.departments;
  changed("floor");
}

export function takeMine(mine) {
  const before = known.mine?.open;
  known.mine = mine;
  if (before && !mine.open && mine.ended?.id === before.id) ended(mine.ended);
  changed("mine");
}

export async function fetchFigures() {
  known.figures = await get("/floor/figures");
  changed("figures");
}

export async function choose(id) {
  known.chosen = id;
  known.details = null;
  changed("chosen");
  if (id !== null) await refreshDetails();
}

export async function refreshDetails() {
  const id = known.chosen;
  if (id === null) return;
  const found = await get(`/floor/seats/${id}`);
  if (known.chosen !== id) return; // another one was chosen meanwhile
  known.details = found;
  changed("details");
}
