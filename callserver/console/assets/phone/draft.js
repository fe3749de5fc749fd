// The draft of an outcome. It is kept in this window until the server has saved it, also when the connection
// is lost or the page reloads. There is one draft at a time, for one call.

import { kept } from "../kept.js";

const KEY = "outcome";

let draft = kept.read(KEY);

export const of = (attempt) => (draft?.attempt === attempt ? draft : null);

// The draft of an earlier call: the answer to saving it was lost.
export const left = (attempt) => (draft && draft.attempt !== attempt ? draft : null);

const WORDS = ["note", "reason"];
const wordsOf = (begun) => begun?.note || WORDS.map((ask) => begun?.details[ask]).find(Boolean) || "";

// What was written about the call stays when another outcome is chosen, or none yet (null). `asks`: what it asks for.
export function begin(attempt, outcome, asks = []) {
  const words = wordsOf(of(attempt));
  const ask = WORDS.find((name) => asks.includes(name));
  draft = { attempt, outcome, details: ask && words ? { [ask]: words } : {}, note: ask ? "" : words };
  keep();
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
