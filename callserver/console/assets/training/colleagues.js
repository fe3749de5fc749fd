// New colleagues' accounts, which a second person confirms before they can be used.

import { get, post } from "../api.js";
import { $, el, keepFocus, newest, onPress, show } from "../dom.js";
import { t } from "../texts.js";

export const refresh = newest(async () => {
  const { accounts } = await get("/accounts/waiting");
  show($("#colleagues"), accounts.length > 0);
  keepFocus(() => $("#colleagues ul").replaceChildren(...accounts.map(line)));
});

function line(account) {
  const button = el(
    "button",
    { type: "button", "data-key": `account-${account.id}` },
    t("training.colleague_confirm", { name: account.name }),
  );
  onPress(button, async () => {
    await post(`/accounts/waiting/${account.id}/confirm`);
    $("#colleagues-done").textContent = t("training.colleague_confirmed", { name: account.name });
    await refresh();
    $("#colleagues-done").focus();
  });
  return el("li", {}, `${account.name} (${account.handle}), ${t(`role.${account.role}`)} `, button);
}
