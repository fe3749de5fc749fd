// The draft of an outcome. It is kept in this window until the server has saved it, also when the connection
// is lost or the page reloads. There is one draft at a time, for one call.

import { kept } from "../kept.js";

const KEY = "outcome";

let draft = kept.read(KEY);

export const of = (attempt) => (draft?.attempt === attempt ? draft : null);

// The draft of an earlier call: the answer to saving it was lost.
export const left = (attempt) => (draft && draft.attempt !== attempt ? draft : null);

export function begin(attempt, outcome) {
  draft = { attempt, outcome, details: {}, note: "" };
  keep();
  return draft;
}

export function keep() {
  kept.write(KEY, draft);
}

// `attempt`: an answer that comes late does not drop the draft of the next call.
export function drop(attempt = draft?.attempt) {
  if (draft?.attempt !== attempt) return;
  draft = null;
  kept.drop(KEY);
}
