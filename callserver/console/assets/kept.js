// What is typed and not sent yet is kept in this window, for its author alone: who signs out drops it, and so do the
// pages of another user. It outlasts the sign-in page, as a session may have ended meanwhile.

const { user } = document.body.dataset;

if (user && sessionStorage.getItem("user") !== user) {
  sessionStorage.clear();
  sessionStorage.setItem("user", user);
}

export const kept = {
  read: (key) => JSON.parse(sessionStorage.getItem(key) ?? "null"),
  write: (key, value) => sessionStorage.setItem(key, JSON.stringify(value)),
  drop: (key) => sessionStorage.removeItem(key),
  dropAll: () => sessionStorage.clear(),
};

// A form's fields are kept under `key()` until `drop`: neither another page nor a closed dialog loses what was typed.
// While the key is empty nothing is kept.
export function keepForm(form, key) {
  const bring = () => {
    for (const [name, value] of Object.entries(kept.read(key()) ?? {})) {
      const field = form.elements[name];
      if (!field) continue;
      field.value = value;
      if (field instanceof Element) field.dispatchEvent(new Event("change"));
    }
  };
  form.addEventListener("input", () => {
    if (key()) kept.write(key(), Object.fromEntries(new FormData(form)));
  });
  return { bring, drop: () => kept.drop(key()) };
}
