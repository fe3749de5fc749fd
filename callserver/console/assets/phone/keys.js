// Single keys for everything, shown where they work, listed under "?", and switched off when unwanted
// (WCAG 2.1.4). They rest while somebody types, and while a dialog is open.

import { $, el } from "../dom.js";
import { t } from "../texts.js";

// Keys for outcomes; the other letters have fixed tasks. Agreements have keys of their own, so that no
// other key moves when they disappear.
export const AGREEMENTS = "ayz";
export const OUTCOMES = "1234567890cdefijkotuvw";
const bound = new Map();

export const on = () => localStorage.getItem("keys") !== "off";

// One task of the page: the button shows the key, and the key presses the button.
export function bind(key, button) {
  bound.set(key, { button });
  mark(button, key);
}

// The outcomes of a call, in the campaign's own order: the same key means the same in every campaign.
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
  const found = bound.get(key);
  if (found) press(event, found.button);
});

function press(event, button) {
  if (button.disabled || button.closest("[hidden]")) return;
  event.preventDefault();
  button.click();
}

function obey() {
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
  obey();
});
obey();
