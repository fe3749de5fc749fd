// Long work: the answer comes line by line, first how far it is, last the result.

import { Problem, send } from "./api.js";
import { el } from "./dom.js";
import { number, t } from "./texts.js";

export async function stream(path, body, tell, headers = {}) {
  const response = await send("POST", path, body, headers);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let last = null;
  for (;;) {
    const { done, value } = await reader.read().catch(() => ({ done: true }));
    if (done) break;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      const found = JSON.parse(line);
      if ("done" in found && "of" in found) tell(found);
      else last = found;
    }
  }
  if (last === null) throw new Problem({ detail: t("page.offline") }, 0);
  if (Object.keys(last).join() === "detail") throw new Problem(last, response.status);
  return last;
}

// A bar with words: put it somewhere, hand `tell` to the work.
export function progressBar() {
  const bar = el("progress", { max: 1 });
  const words = el("span", { class: "soft number" });
  const element = el("p", { class: "progress", role: "status" }, bar, words);
  const tell = ({ done, of, what }) => {
    bar.setAttribute("aria-label", what ? t(what) : "");
    if (of) {
      bar.value = done / of;
      words.textContent = t("rules.progress", { done: number(done), of: number(of) });
    } else {
      bar.removeAttribute("value");
      words.textContent = what ? t(what) : "";
    }
  };
  return { element, tell };
}
