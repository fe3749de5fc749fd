// The floor page: fetches its state, follows events and refreshes the figures.

import { get, post, unlessUnreachable } from "./api.js";
import { follow } from "./live.js";
import { setClock } from "./texts.js";
import "./floor/alarms.js";
import "./floor/campaigns.js";
import "./floor/details.js";
import "./floor/listening.js";
import "./floor/seats.js";
import { fetchFigures, known, may, refreshDetails, take, takeChanges, takeMine } from "./floor/store.js";
import * as telephone from "./floor/telephone.js";

const FIGURES_MS = 8000;
const PRESENT_MS = 3 * 60 * 1000; // presence lasts ten minutes

async function refresh() {
  const [me, mine, floor] = await Promise.all([get("/me"), get("/listenings/mine"), get("/floor")]);
  known.me = me;
  setClock(floor.now);
  takeMine(mine);
  take(floor);
  await Promise.all([fetchFigures(), refreshDetails()]);
}

async function quietly(work) {
  if (!document.hidden) await unlessUnreachable(work());
}

const present = () => quietly(() => may("lead_floor") && post("/presence"));
const figures = () => quietly(fetchFigures);

await follow(refresh, { floor: take, floor_changes: takeChanges, listening: takeMine });
telephone.start();
setInterval(figures, FIGURES_MS);
setInterval(present, PRESENT_MS);
document.addEventListener("visibilitychange", () => {
  present();
  figures();
});
await present();
