// Does a note seem to hold what it should not? Pure: the words come from the catalogue.

// The topics whose words begin somewhere in the text. `words`: { topic: "begin|begin|…" }.
export function topics(text, words) {
  const spoken = ` ${text.toLocaleLowerCase().replace(/\s+/g, " ")}`;
  return Object.keys(words).filter((topic) =>
    words[topic]
      .split("|")
      .filter(Boolean)
      .some((begin) => begins(spoken, begin)),
  );
}

// At the beginning of a word: "syg" finds sygdom and not besøg.
function begins(spoken, begin) {
  for (let at = spoken.indexOf(begin); at >= 0; at = spoken.indexOf(begin, at + 1)) {
    if (at > 0 && !/[\p{L}\p{N}]/u.test(spoken[at - 1])) return true;
  }
  return false;
}
