// Making elements, in plain words: el("li", { class: "seat" }, "text", child).

export const $ = (selector, inside = document) => inside.querySelector(selector);
export const $$ = (selector, inside = document) => [...inside.querySelectorAll(selector)];

export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// What is wider than the page scrolls by itself, by keyboard as well.
export function scrolling(name, ...children) {
  return el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": name }, ...children);
}

export function show(element, visible = true) {
  element.hidden = !visible;
}

export function toast(text, kind = "") {
  const made = el("p", { class: `toast ${kind}` }, text);
  $("#toasts").append(made);
  setTimeout(() => made.remove(), 8000);
}

// One thing at a time: meanwhile `where` says that it is busy, and to press again does nothing. No button
// is disabled for it: the focus would be lost.
export function oneAtATime(where, work) {
  return async (given) => {
    if (where.hasAttribute("aria-busy")) return;
    where.setAttribute("aria-busy", "true");
    try {
      await work(given);
    } finally {
      where.removeAttribute("aria-busy");
    }
  };
}

export function onPress(button, work) {
  button.addEventListener("click", oneAtATime(button, work));
}

// A form's values; what fails is said inside the form, where the eye is.
export function onSubmit(form, work) {
  const wrong = $(".wrong", form);
  const submit = oneAtATime(form, async () => {
    if (wrong) show(wrong, false);
    try {
      const values = Object.fromEntries(new FormData(form));
      for (const field of form.elements) if (field.read) values[field.name] = field.read(); // a date
      await work(values);
    } catch (error) {
      if (!wrong) throw error;
      wrong.textContent = error.message;
      show(wrong);
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
}

// What had the focus may be gone with what was done: then `next` has it, from where Tab goes on.
export function passFocus(had, next) {
  const gone = !had.isConnected || had.closest("[hidden], dialog:not([open])");
  if (gone && had !== document.body && [had, document.body].includes(document.activeElement)) next?.focus();
}
