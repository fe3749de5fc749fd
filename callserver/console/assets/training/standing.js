// How far a new phoner is: the shift they are on, what it means, and the conversation on the third.

import { post } from "../api.js";
import { $, el, onPress, show } from "../dom.js";
import { date, label, t } from "../texts.js";

let changed = () => {};

const TEXT = { 1: "training.shift_1", 2: "training.shift_2", 3: "training.shift_3" };

export function draw(mine) {
  const isNew = mine.phones && mine.shift !== null;
  show($("#standing"), isNew || mine.sessions.length > 0);
  $("#standing-title").textContent = isNew
    ? t("training.shift_title", { number: mine.shift })
    : t("training.attended_title");
  $("#standing-text").textContent = isNew ? t(mine.talk_owed ? "training.talk_owed" : TEXT[mine.shift]) : "";
  $("#mentor").textContent = mine.mentor ? t("training.mentor", { name: mine.mentor }) : "";
  show($("#mentor"), isNew && mine.shift === 1 && Boolean(mine.mentor));
  $("#words").textContent = mine.words;
  show($("#words"), isNew && Boolean(mine.words));
  show($("#talk"), isNew && mine.shift === 3 && !mine.talked_by_me);
  $("#sessions").replaceChildren(
    ...mine.sessions.map((session) => {
      const attended = Object.values(session.participants)[0];
      return el(
        "li",
        {},
        `${label(mine.activities[session.activity] ?? { da: session.activity, en: session.activity })}, ${date(session.day)}`,
        attended === null ? "" : ` (${t(attended ? "training.attended" : "training.absent")})`,
      );
    }),
  );
}

export function start(onChange) {
  changed = onChange;
  onPress($("#talk"), async () => changed(await post("/training/talk")));
}
