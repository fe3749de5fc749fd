// Training: how far I am, what I read and sign; for supervisors the team.

import { get, unlessUnreachable } from "./api.js";
import "./dates.js";
import { follow } from "./live.js";
import * as colleagues from "./training/colleagues.js";
import * as leaving from "./training/leaving.js";
import * as reading from "./training/reading.js";
import * as standing from "./training/standing.js";
import * as team from "./training/team.js";

function take(mine) {
  reading.draw(mine);
  standing.draw(mine);
  leaving.draw(mine);
}

reading.start(take);
standing.start(take);
team.start();
leaving.start(refresh);

async function refresh() {
  take(await get("/training"));
  await team.refresh();
  await colleagues.refresh();
}

await follow(refresh, { training: take, training_team: team.refresh, accounts_waiting: colleagues.refresh });
await unlessUnreachable(reading.openNext(false));
