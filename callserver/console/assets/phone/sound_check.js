// Microphone and speaker: choosing, testing and remembering them in this browser. Nothing is recorded or sent.

import { $, el, oneAtATime } from "../dom.js";
import { t } from "../texts.js";

const VOICE_LEVEL = 0.06; // of the full level; the noise of a room is below
let stop = null;
let turn = 0; // counts starting and stopping: a microphone that opens too late is closed again
let changed = () => {};

export const microphone = () => localStorage.getItem("microphone") ?? "";
export const speaker = () => localStorage.getItem("speaker") ?? "";

// Stops the test of the microphone.
export function hush() {
  turn += 1;
  stop?.();
  stop = null;
}

async function list() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  fill(
    $("#microphone"),
    devices.filter((device) => device.kind === "audioinput"),
    microphone(),
  );
  fill(
    $("#speaker"),
    devices.filter((device) => device.kind === "audiooutput"),
    speaker(),
  );
}

function fill(select, devices, chosen) {
  const named = devices.filter((device) => device.deviceId && device.label && device.deviceId !== "default");
  select.replaceChildren(
    el("option", { value: "" }, t("phone.sound.standard")),
    ...named.map((device) =>
      el("option", { value: device.deviceId, selected: device.deviceId === chosen }, device.label),
    ),
  );
}

async function listen() {
  hush();
  const mine = turn;
  const status = $("#sound-result");
  let stream;
  try {
    const device = microphone();
    stream = await navigator.mediaDevices.getUserMedia({ audio: device ? { deviceId: device } : true });
  } catch (error) {
    status.textContent = t(error.name === "NotFoundError" ? "phone.sound.none" : "phone.sound.denied");
    return;
  }
  await list(); // with the permission, the browser gives the names
  if (mine !== turn) {
    for (const track of stream.getTracks()) track.stop();
    return;
  }
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  const wave = new Float32Array(analyser.fftSize);
  status.textContent = t("phone.sound.quiet");
  let isVoiceDetected = false;
  const measuring = setInterval(() => {
    analyser.getFloatTimeDomainData(wave);
    const level = Math.min(
      1,
      4 * Math.sqrt(wave.reduce((sum, sample) => sum + sample * sample, 0) / wave.length),
    );
    $("#level").value = level;
    if (!isVoiceDetected && level > VOICE_LEVEL) {
      isVoiceDetected = true;
      status.textContent = t("phone.sound.good");
    }
  }, 80);
  $("#sound-test").textContent = t("phone.sound.stop");
  stop = () => {
    clearInterval(measuring);
    for (const track of stream.getTracks()) track.stop();
    context.close();
    $("#level").value = 0;
    $("#sound-test").textContent = t("phone.sound.try");
    status.textContent = "";
  };
}

async function tone() {
  const context = new AudioContext();
  const out = context.createMediaStreamDestination();
  const volume = context.createGain();
  volume.gain.value = 0.2;
  volume.connect(out);
  for (const [note, at] of [
    [523, 0],
    [659, 0.5],
  ]) {
    const oscillator = context.createOscillator();
    oscillator.frequency.value = note;
    oscillator.connect(volume);
    oscillator.start(context.currentTime + at);
    oscillator.stop(context.currentTime + at + 0.4);
  }
  const player = new Audio();
  player.srcObject = out.stream;
  if (speaker()) await player.setSinkId?.(speaker()).catch(() => {});
  await player.play();
  setTimeout(() => context.close(), 1500);
}

// `onChange` gets { microphone, speaker } when another device is chosen.
export function start(onChange) {
  changed = onChange;
  for (const kind of ["microphone", "speaker"]) {
    $(`#${kind}`).addEventListener("change", async (event) => {
      localStorage.setItem(kind, event.target.value);
      changed({ microphone: microphone(), speaker: speaker() });
      if (kind === "microphone" && stop) await listen();
    });
  }
  const test = $("#sound-test");
  test.addEventListener(
    "click",
    oneAtATime(test, async () => (stop ? hush() : listen())),
  );
  $("#tone").addEventListener("click", tone);
  navigator.mediaDevices?.addEventListener("devicechange", list);
  list();
}
