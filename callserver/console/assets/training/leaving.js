// The reminder of confidentiality, which a person who leaves signs before their access ends.

import { get, post } from "../api.js";
import { article } from "../books/library.js";
import { $, onPress, show } from "../dom.js";
import { dateTime, t } from "../texts.js";

let version = null; // of the text that is shown

export async function draw({ leaving }) {
  show($("#leaving"), Boolean(leaving));
  if (!leaving) return;
  $("#leaving-state").textContent = leaving.signed_at
    ? t("training.leaving_signed", { when: dateTime(leaving.signed_at) })
    : "";
  show($("#leaving-sign"), !leaving.signed_at);
  if (version === leaving.version) return;
  const document = await get("/training/documents/confidentiality");
  version = document.version;
  $("#leaving-text").replaceChildren(article(document));
}

export function start(refresh) {
  onPress($("#leaving-sign"), async () => {
    await post("/leaving/signature", { version });
    await refresh();
    $("#leaving-state").focus();
  });
}
