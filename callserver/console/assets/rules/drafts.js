// Changes that are not yet proposed. They are kept in this browser window, so that a reload loses nothing.

import { kept } from "../kept.js";

const KEY = "rules.drafts";

export class Drafts {
  constructor() {
    this.texts = kept.read(KEY) ?? {};
  }

  get any() {
    return Object.keys(this.texts).length > 0;
  }

  // The draft of a file, or its text in force; null: the file is removed.
  of(path, inForce) {
    return path in this.texts ? this.texts[path] : inForce;
  }

  set(path, text, inForce) {
    if (text === inForce) delete this.texts[path];
    else this.texts[path] = text;
    this.#keep();
  }

  // Drops drafts whose text has come into force meanwhile.
  settle(inForce) {
    for (const [path, text] of Object.entries(this.texts)) {
      if (text === (inForce[path] ?? null)) delete this.texts[path];
    }
    this.#keep();
  }

  // Drops the drafts that still have these texts.
  drop(texts) {
    for (const [path, text] of Object.entries(texts)) {
      if (this.texts[path] === text) delete this.texts[path];
    }
    this.#keep();
  }

  clear() {
    this.texts = {};
    this.#keep();
  }

  #keep() {
    kept.write(KEY, this.texts);
  }
}
