// The lists page: the contacts of each campaign by status, exports, imports and their history.

import { download, get } from "./api.js";
import { $, el, keepFocus, newest, onPress, show, toast } from "./dom.js";
import { history } from "./lists/history.js";
import { start } from "./lists/import.js";
import { follow } from "./live.js";
import { label, number, setClock, t } from "./texts.js";

let lists;

const titles = () => Object.fromEntries(lists.lists.map((list) => [list.campaign, label(list.title)]));

const refresh = newest(async () => {
  lists = await get("/lists");
  setClock(lists.now);
  keepFocus(() => $("#lists").replaceChildren(...lists.lists.map(listRow)));
  history(lists, titles(), Boolean($("#import")));
  const select = $("#campaign");
  if (select && !select.options.length) {
    select.append(...lists.lists.map((list) => el("option", { value: list.campaign }, label(list.title))));
    show($("#quiet-hint"), lists.only_quietly);
    $("#file-label").textContent = t("lists.file", { most: number(lists.most_mb) });
  }
});

function listRow({ campaign, title, sizes }) {
  const count = (...names) => number(names.reduce((sum, name) => sum + (sizes[name] ?? 0), 0));
  const cell = (...names) => el("td", { class: "number" }, count(...names));
  const copyButton = (what) => {
    const text = t(`lists.copy_${what}`);
    const button = el("button", { type: "button", class: "quiet", "data-key": `${what}-${campaign}` }, text);
    onPress(button, async () => {
      await download(`/lists/${campaign}/export`, { what });
      toast(t("lists.copied"));
    });
    return button;
  };
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, label(title)),
    cell("ready", "claimed"),
    cell("waiting"),
    cell("call_back"),
    cell("done", "closed"),
    el("td", {}, copyButton("contacts"), copyButton("outcomes")),
  );
}

if ($("#import")) start({ titles, imported: refresh });
await follow(refresh, { lists: refresh });
