// What is typed and not sent yet is kept in this window, for its author alone: on a shared computer the pages of
// the next user drop it. It outlasts the sign-in page, as a session may have ended meanwhile.

const { user } = document.body.dataset;

if (user && sessionStorage.getItem("user") !== user) {
  sessionStorage.clear();
  sessionStorage.setItem("user", user);
}

export const kept = {
  read: (key) => JSON.parse(sessionStorage.getItem(key) ?? "null"),
  write: (key, value) => sessionStorage.setItem(key, JSON.stringify(value)),
  drop: (key) => sessionStorage.removeItem(key),
};
