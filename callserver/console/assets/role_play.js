// The applicant's page: a code lets this browser in, once; then it is the softphone of one call.

import { ask, get, newKey, post } from "./api.js";
import { $, onPress, onSubmit, show } from "./dom.js";
import { kept } from "./kept.js";
import { untilAnswered } from "./live.js";
import { badge, connect, untilReached } from "./softphone.js";
import { t } from "./texts.js";

const LOOK_MS = 2000;

let phone = null;
let open = false;

function only(id) {
  for (const other of ["enter", "call", "over"]) show($(`#${other}`), other === id);
}

// The call as the server sees it; null: it is over, or this browser was not let in.
async function mine() {
  try {
    return await get("/role-play");
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

async function begin(view) {
  open = true;
  only("call");
  $("#hello").textContent = t("role_play.hello", { name: view.name });
  $("#script").innerHTML = view.script;
  $("#hello").focus();
  draw(view);
  watch();
  const onState = (state) => badge($("#softphone"), state);
  const options = {
    as: "player",
    path: "/role-play/softphone",
    rings: () => post("/role-play/ring"),
    expects: () => open,
    onState,
  };
  phone = await untilReached(
    () => connect(options),
    onState,
    () => open,
  );
  if (!open) phone?.disconnect(); // the call has ended meanwhile
}

function draw({ started }) {
  $("#state").textContent = t(started ? "role_play.talks" : "role_play.waits");
}

// Both leave when one ends: the page learns it from the server.
async function watch() {
  while (open) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const view = await mine().catch(() => undefined); // the server does not answer: the next look
    if (view === null) end();
    else if (view && open) draw(view);
  }
}

function end() {
  if (!open) return;
  open = false;
  phone?.disconnect();
  only("over");
  $("#over-title").focus();
}

// The code works once. If the answer is lost, this window may enter it again, also after a reload.
function key() {
  if (!kept.read("role_play_key")) kept.write("role_play_key", newKey());
  return kept.read("role_play_key");
}

const enter = (code) => ask("POST", "/role-play/enter", { code }, { "idempotency-key": key() });

onSubmit($("#enter form"), async ({ code }) => begin(await enter(code)));
onPress($("#end"), async () => {
  const wrong = $("#wrong");
  show(wrong, false);
  try {
    await post("/role-play/end");
    end();
  } catch (error) {
    if (error.status === 404) return end();
    wrong.textContent = error.message;
    show(wrong);
  }
});
onPress($("#mute"), () => {
  const on = $("#mute").getAttribute("aria-pressed") !== "true";
  phone?.mute(on);
  $("#mute").setAttribute("aria-pressed", String(on));
});

const known = await untilAnswered(mine);
if (known) await begin(known);
else {
  only("enter");
  $("#enter [name=code]").focus();
}
