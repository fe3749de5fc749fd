// Requests for long work: the response is lines of JSON, first the progress, last the result.

import { Problem, send } from "./api.js";
import { el } from "./dom.js";
import { number, t } from "./texts.js";

export async function stream(path, body, onProgress, headers = {}) {
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
      const message = JSON.parse(line);
      if ("done" in message && "of" in message) onProgress(message);
      else last = message;
    }
  }
  if (last === null) throw new Problem({ detail: t("page.offline") }, 0);
  if (Object.keys(last).join() === "detail") throw new Problem(last, response.status);
  return last;
}

// A progress bar with a text; `update` is the onProgress of a stream or an upload. Its figures change ten times a
// second: a screen reader reads the bar when it is asked to, and the result, which replaces it, by itself.
export function progressBar() {
  const bar = el("progress", { max: 1 });
  const words = el("span", { class: "soft number" });
  const element = el("p", { class: "progress", "aria-live": "off" }, bar, words);
  const update = ({ done, of, what }) => {
    bar.setAttribute("aria-label", what ? t(what) : "");
    if (of) {
      bar.value = done / of;
      words.textContent = t("rules.progress", { done: number(done), of: number(of) });
    } else {
      bar.removeAttribute("value");
      words.textContent = what ? t(what) : "";
    }
  };
  return { element, update };
}
