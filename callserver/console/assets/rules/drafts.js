// What somebody has changed and not yet proposed: kept in this browser, so that a reload loses nothing.

const KEY = "rules.drafts";

export class Drafts {
  constructor() {
    this.texts = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
  }

  get any() {
    return Object.keys(this.texts).length > 0;
  }

  // The text as it would be; null: the file is removed.
  of(path, kept) {
    return path in this.texts ? this.texts[path] : kept;
  }

  set(path, text, kept) {
    if (text === kept) delete this.texts[path];
    else this.texts[path] = text;
    this.#keep();
  }

  // What was put into force meanwhile is no change any more.
  settle(kept) {
    for (const [path, text] of Object.entries(this.texts)) {
      if (text === (kept[path] ?? null)) delete this.texts[path];
    }
    this.#keep();
  }

  clear() {
    this.texts = {};
    this.#keep();
  }

  #keep() {
    sessionStorage.setItem(KEY, JSON.stringify(this.texts));
  }
}
