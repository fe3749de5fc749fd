// The page's state: the floor, its figures, the user's own listening and the chosen seat.

import { get } from "../api.js";
import { newest } from "../dom.js";

export const known = {
  me: null, // {id, may, department}
  seats: [],
  campaigns: {},
  departments: {},
  figures: null,
  hasBrowserPhone: false, // else the listener's own telephone is called
  mine: null, // the user's own listening, and the modes they may use
  ended: null, // a listening that has just ended
  chosen: null, // a seat's id
  details: null, // of the chosen seat
};

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

// The seats that have changed, as they are now. A seat that comes or goes arrives with the whole floor.
export function takeChanges({ seats, campaigns }) {
  const changedSeats = new Map(seats.map((seat) => [seat.id, seat]));
  known.seats = known.seats.map((seat) => changedSeats.get(seat.id) ?? seat);
  known.campaigns = campaigns ?? known.campaigns;
  changed("floor");
}

export function takeMine(mine) {
  const before = known.mine?.open;
  known.mine = mine;
  const isOver = before && !mine.open && mine.ended?.id === before.id;
  known.ended = isOver ? mine.ended : null;
  changed("mine");
}

export const fetchFigures = newest(async () => {
  known.figures = await get("/floor/figures");
  changed("figures");
});

export async function choose(id) {
  known.chosen = id;
  known.details = null;
  changed("chosen");
  if (id !== null) await refreshDetails();
}

export const refreshDetails = newest(async () => {
  const id = known.chosen;
  if (id === null) return;
  const details = await get(`/floor/seats/${id}`);
  if (known.chosen !== id) return; // another seat was chosen meanwhile
  known.details = details;
  changed("details");
});
