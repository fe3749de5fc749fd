// The focus when the seat changes.

import { $, passFocus } from "../dom.js";

// If the focused element disappears with its state, the seat's heading gets the focus: the next Tab then
// reaches the first button of the new state.
export function keepingFocus(work) {
  const focused = document.activeElement;
  work();
  passFocus(focused, $("#state"));
}
