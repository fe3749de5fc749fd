// Local time in the organisation's zone (callserver/domain/home.py), whatever the browser's own zone is: a time
// that is typed, shown and sent by message is the same to everybody.

export const HOME = "Europe/Copenhagen";

// An instant as local time: "2026-05-13T17:15".
export function local(instant, zone = HOME) {
  const parts = new Intl.DateTimeFormat("sv", { timeZone: zone, dateStyle: "short", timeStyle: "short" });
  return parts.format(new Date(instant)).replace(" ", "T");
}

// The instant of a local time, or of a day's beginning. The second turn is for the hours around a clock change.
export function instantOf(text) {
  const wanted = Date.parse(`${text.length === 10 ? `${text}T00:00` : text}Z`);
  let at = wanted;
  for (let turn = 0; turn < 2; turn++) at += wanted - Date.parse(`${local(at)}Z`);
  return new Date(at).toISOString();
}
