// The draft of an outcome. It is kept in this window until the server has saved it, also when the connection
// is lost or the page reloads. There is one draft at a time, for one call.

const KEY = "outcome";

let kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");

export const of = (attempt) => (kept?.attempt === attempt ? kept : null);

// The draft of an earlier call: the answer to saving it was lost.
export const left = (attempt) => (kept && kept.attempt !== attempt ? kept : null);

export function begin(attempt, outcome) {
  kept = { attempt, outcome, details: {}, note: "" };
  keep();
  return kept;
}

export function keep() {
  sessionStorage.setItem(KEY, JSON.stringify(kept));
}

export function drop() {
  kept = null;
  sessionStorage.removeItem(KEY);
}
