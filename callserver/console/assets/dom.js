// Elements, the focus, and forms. el("li", { class: "seat" }, "text", child) makes an element.

import { firstInvalid } from "./validity.js";

export const $ = (selector, inside = document) => inside.querySelector(selector);
export const $$ = (selector, inside = document) => [...inside.querySelectorAll(selector)];

export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// A box that scrolls content wider than the page, by keyboard as well.
export function scrolling(name, ...children) {
  return el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": name }, ...children);
}

// A bar that stays at the top never covers the focused element, however many rows it has.
export function scrollsBelow(bar) {
  const room = () => {
    const stays = !bar.hidden && getComputedStyle(bar).position === "sticky";
    document.documentElement.style.scrollPaddingTop = stays ? `${bar.offsetHeight + 8}px` : "";
  };
  new ResizeObserver(room).observe(bar);
  window.addEventListener("resize", room);
}

export function show(element, visible = true) {
  element.hidden = !visible;
}

export function toast(text, kind = "") {
  const message = el("p", { class: `toast ${kind}` }, text);
  $("#toasts").append(message);
  setTimeout(() => message.remove(), 8000);
}

// While `work` runs, `where` is aria-busy and further calls do nothing. No button is disabled, as that would
// lose the focus.
export function oneAtATime(where, work) {
  return async (argument) => {
    if (where.hasAttribute("aria-busy")) return;
    where.setAttribute("aria-busy", "true");
    try {
      await work(argument);
    } finally {
      where.removeAttribute("aria-busy");
    }
  };
}

// What is fetched and drawn: never twice at a time, so that an earlier answer does not overwrite a later one.
// A call while it runs waits for one more run.
export function newest(work) {
  let running = Promise.resolve();
  let next = null;
  return () => {
    next ??= running.then(() => {
      const run = work();
      running = run.catch(() => {});
      next = null;
      return run;
    });
    return next;
  };
}

export function onPress(button, work) {
  button.addEventListener("click", oneAtATime(button, work));
}

// Calls `work` with the form's values; what is wrong with them, and an error, is shown inside the form.
export function onSubmit(form, work) {
  const wrong =
    $(".wrong", form) ?? form.appendChild(el("p", { class: "wrong", role: "alert", hidden: true }));
  form.noValidate = true;
  const say = (text) => {
    wrong.textContent = text;
    show(wrong);
  };
  const submit = oneAtATime(form, async () => {
    show(wrong, false);
    const invalid = firstInvalid(form);
    if (invalid) {
      say(invalid.text);
      invalid.field.focus();
      return;
    }
    try {
      const values = Object.fromEntries(new FormData(form));
      for (const field of form.elements) if (field.read) values[field.name] = field.read(); // a date
      await work(values);
    } catch (error) {
      say(error.message);
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
}

// After `work` has drawn again: if what had the focus is gone, the element with the same data-key gets it, else `next`.
export function keepFocus(work, next, inside = document) {
  const focused = document.activeElement;
  work();
  const { key } = focused.dataset;
  if (key) passFocus(focused, $(`[data-key="${CSS.escape(key)}"]`, inside));
  passFocus(focused, next);
}

// If the element that had the focus has disappeared, `next` gets the focus, so that Tab goes on from there.
export function passFocus(previous, next) {
  const gone = !previous.isConnected || previous.closest("[hidden], dialog:not([open])");
  if (gone && previous !== document.body && [previous, document.body].includes(document.activeElement))
    next?.focus();
}
