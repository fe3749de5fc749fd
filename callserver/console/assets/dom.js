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

// A form's values; what fails is said inside the form, where the eye is. Its button is not disabled
// meanwhile: the focus would be lost.
export function onSubmit(form, work) {
  const wrong = $(".wrong", form);
  let busy = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    form.setAttribute("aria-busy", "true");
    if (wrong) show(wrong, false);
    try {
      await work(Object.fromEntries(new FormData(form)));
    } catch (error) {
      if (!wrong) throw error;
      wrong.textContent = error.message;
      show(wrong);
    } finally {
      busy = false;
      form.removeAttribute("aria-busy");
    }
  });
}
