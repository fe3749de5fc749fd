// An outcome that is being written: kept in this window until the server has it, whatever happens to
// the connection or the page. One at a time, for one call.

const KEY = "outcome";

let kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");

// The draft of this call, if there is one.
export const of = (attempt) => (kept?.attempt === attempt ? kept : null);

// A draft of another call than this: one whose answer was lost.
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
