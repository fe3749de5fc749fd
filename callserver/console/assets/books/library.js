// The books as tabs with a search. They are fetched at the first opening.

import { get } from "../api.js";
import { $, $$, el, show } from "../dom.js";
import { date, t } from "../texts.js";

let fetched = null;

// All books, and the sentences of the values.
export function library() {
  fetched ??= get("/books").catch((error) => {
    fetched = null; // the next opening fetches them again
    throw error;
  });
  return fetched;
}

export async function shelf(box) {
  if (box.childElementCount) return;
  const { books } = await library();
  const search = el("input", { type: "text", autocomplete: "off", enterkeyhint: "search" });
  const status = el("p", { class: "soft", role: "status" });
  const tabs = el("div", { class: "row tabs" });
  const pages = el("div", { class: "prose" });
  box.append(tabs, el("label", {}, t("books.search"), search), status, pages);

  function open(key) {
    for (const page of $$("article", pages)) show(page, page.dataset.book === key);
    for (const tab of $$("button", tabs)) tab.setAttribute("aria-pressed", tab.dataset.book === key);
  }

  for (const book of books) {
    const tab = el("button", { type: "button", "data-book": book.key }, book.title);
    tab.addEventListener("click", () => {
      search.value = "";
      find();
      open(book.key);
    });
    tabs.append(tab);
    pages.append(article(book));
  }

  function find() {
    const words = search.value.trim().toLocaleLowerCase();
    let matches = 0;
    for (const section of $$("section", pages)) {
      const fits = !words || section.textContent.toLocaleLowerCase().includes(words);
      show(section, fits);
      matches += fits;
    }
    if (!words) {
      status.textContent = "";
      open($("[aria-pressed=true]", tabs)?.dataset.book ?? books[0]?.key);
      return;
    }
    for (const page of $$("article", pages))
      show(
        page,
        $$("section", page).some((section) => !section.hidden),
      );
    status.textContent = matches
      ? t("books.found", { count: matches })
      : t("books.nothing", { words: search.value.trim() });
  }

  search.addEventListener("input", find);
  open(books[0]?.key);
}

// The text of one book.
export function article(book) {
  const element = el(
    "article",
    { "data-book": book.key },
    el("h2", {}, book.title),
    el("p", { class: "soft" }, t("books.reviewed", { date: date(book.reviewed), by: book.by })),
  );
  if (book.pdf) {
    const href = `/api/v1/books/${book.key}/pdf`;
    element.append(el("p", {}, el("a", { href, download: book.pdf }, t("books.pdf", { name: book.pdf }))));
  }
  for (const section of book.sections) {
    const part = el("section", {}, section.heading ? el("h3", {}, section.heading) : null);
    const body = el("div");
    body.innerHTML = section.html; // rendered by the server; HTML in a book's text is escaped
    part.append(body);
    element.append(part);
  }
  return element;
}
