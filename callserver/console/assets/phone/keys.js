// Single-key shortcuts. They are shown on their buttons, listed under "?", and can be switched off
// (WCAG 2.1.4). They do nothing while the user types or a dialog is open.

import { $, el } from "../dom.js";
import { t } from "../texts.js";

// The keys of outcomes; other letters belong to fixed buttons. Agreements have their own keys, so that the
// other outcomes keep theirs when agreements disappear.
export const AGREEMENTS = "ayz";
export const OUTCOMES = "1234567890cdefijkotuvw";
const bound = new Map();

export const on = () => localStorage.getItem("keys") !== "off";

export function bind(key, button) {
  bound.set(key, { button });
  mark(button, key);
}

// Binds the outcomes of a call in the order of the campaign.
export function bindAll(keys, buttons) {
  for (const key of keys) bound.delete(key);
  buttons.slice(0, keys.length).forEach((button, position) => {
    bound.set(keys[position], { button });
    mark(button, keys[position]);
  });
}

function mark(button, key) {
  button.setAttribute("aria-keyshortcuts", key);
  $("kbd", button)?.remove();
  button.append(el("kbd", { "aria-hidden": "true" }, key.toUpperCase()));
}

const typing = (element) =>
  element.closest("input, textarea, select, [contenteditable]") &&
  !element.matches("[type=radio], [type=checkbox]");

document.addEventListener("keydown", (event) => {
  if (!on() || event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.repeat) return;
  if (document.querySelector("dialog[open]") || typing(event.target)) return;
  const key = event.key.toLowerCase();
  if (key === "?") return press(event, $("#help"));
  const binding = bound.get(key);
  if (binding) press(event, binding.button);
});

function press(event, button) {
  if (button.disabled || button.closest("[hidden]")) return;
  event.preventDefault();
  button.click();
}

function applySetting() {
  document.body.classList.toggle("no-keys", !on());
}

export function help() {
  const list = $("#keys");
  list.replaceChildren();
  for (const [key, { button }] of bound) {
    if (button.closest("[hidden]") || !button.isConnected) continue;
    const words = button.dataset.words ?? button.firstChild.textContent.trim();
    list.append(el("dt", {}, el("kbd", {}, key.toUpperCase())), el("dd", {}, words));
  }
  list.append(el("dt", {}, el("kbd", {}, "?")), el("dd", {}, t("phone.do.help")));
  $("#keys-dialog").showModal();
}

$("#keys-on").checked = on();
$("#keys-on").addEventListener("change", (event) => {
  localStorage.setItem("keys", event.target.checked ? "on" : "off");
  applySetting();
});
applySetting();
