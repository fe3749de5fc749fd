// Warns about sensitive topics in a note. A pure module: the words come from the catalogue.

// The topics that have a word in the text. `words`: { topic: "beginning|beginning|…" }.
export function topics(text, words) {
  const normalised = ` ${text.toLocaleLowerCase().replace(/\s+/g, " ")}`;
  return Object.keys(words).filter((topic) =>
    words[topic]
      .split("|")
      .filter(Boolean)
      .some((begin) => begins(normalised, begin)),
  );
}

// At the beginning of a word: "syg" finds sygdom and not besøg.
function begins(normalised, begin) {
  for (let at = normalised.indexOf(begin); at >= 0; at = normalised.indexOf(begin, at + 1)) {
    if (at > 0 && !/[\p{L}\p{N}]/u.test(normalised[at - 1])) return true;
  }
  return false;
}
