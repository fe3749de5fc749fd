// Where the focus goes when what had it is gone.

import { $, passFocus } from "../dom.js";

// What had the focus may be gone with the state it belonged to: then the seat's heading has it, from
// where the next Tab is the first thing one can do now.
export function keepingFocus(work) {
  const focused = document.activeElement;
  work();
  passFocus(focused, $("#state"));
}
