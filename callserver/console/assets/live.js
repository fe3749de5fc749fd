// Server-sent events. `refresh` fetches everything; `events` maps an event's name to its handler. The banner
// reports a lost connection; after reconnecting everything is fetched again.

import { $, show } from "./dom.js";
import { t } from "./texts.js";

export function follow(refresh, events) {
  const banner = $("#banner");
  let source;
  let lost = false;

  function open() {
    source = new EventSource("/api/v1/events");
    source.addEventListener("open", async () => {
      if (lost) {
        lost = false;
        await refresh();
        banner.textContent = t("page.back");
        setTimeout(() => show(banner, lost), 4000);
      }
    });
    source.addEventListener("error", () => {
      if (!lost) {
        lost = true;
        banner.textContent = t("page.lost");
        show(banner);
      }
      if (source.readyState === EventSource.CLOSED) setTimeout(open, 2000); // refused: connect again
    });
    source.addEventListener("refresh", () => refresh());
    for (const [name, does] of Object.entries(events)) {
      source.addEventListener(name, (event) => does(JSON.parse(event.data)));
    }
  }

  open();
  window.addEventListener("pagehide", () => source.close());
}
