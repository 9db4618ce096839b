// What has to be right before a show, each thing in words that a person can act on.
// A check is `{name, state, text}`; `state` is "ok", "warn" (it works, but), "bad" (it does not)
// or "wait".

import { explain } from "./camera.js";
import { QUALITIES, qualityFor } from "./uplink.js";

const CLOCK_OFF_MS = 5_000;
const LEVEL_SILENT = 0.12;
const LISTENS_MS = 4_000;
const BATTERY_LOW = 0.2;
const SOUND_BITS = QUALITIES.at(-1).audioBits;

function check(name, state, text) {
  return { name, state, text };
}

/** @param {{stream: MediaStream|null, error: unknown, canRecord: boolean}} camera */
export function cameraCheck({ stream, error, canRecord }) {
  if (!canRecord) return check("camera", "bad", gettext("This browser cannot record video. Try Chrome, Edge, Firefox or Safari."));
  if (error) return check("camera", "bad", explain(error));
  if (!stream) return check("camera", "wait", gettext("Getting the camera…"));
  const { width = 0, height = 0 } = stream.getVideoTracks()[0]?.getSettings() ?? {};
  return check("camera", "ok", interpolate(gettext("Camera: %s × %s"), [width, height]));
}

/** `loudest` of the last seconds is from 0 (silence) to 1; `heardMs` is how long was listened. */
export function microphoneCheck({ stream, loudest, heardMs }) {
  if (!stream) return check("microphone", "wait", gettext("Getting the microphone…"));
  const [track] = stream.getAudioTracks();
  if (!track) return check("microphone", "warn", gettext("No microphone was found: viewers will see you and hear nothing. Plug one in, then tap “Check again”."));
  if (track.muted) return check("microphone", "warn", gettext("Your device has switched the microphone off. Is it muted, or in a call?"));
  if (loudest > LEVEL_SILENT) return check("microphone", "ok", gettext("Microphone: you can be heard."));
  if (heardMs < LISTENS_MS) return check("microphone", "wait", gettext("Say something, so that we can hear the microphone."));
  return check("microphone", "warn", gettext("Nothing is heard. Say something; if the bar does not move, choose another microphone below."));
}

/** `trial` is what `probe` told, `failure` why it could not, both `null` while it runs. */
export function networkCheck({ trial, failure, isOnline }) {
  if (!isOnline) return check("network", "bad", gettext("This device has no network. Switch on mobile data or Wi-Fi."));
  if (failure) return check("network", "bad", failure.message || gettext("The server cannot be reached from here. Check mobile data or Wi-Fi, then tap “Check again”."));
  if (!trial) return check("network", "wait", gettext("Testing the network…"));
  const speed = bitRate(trial.bitsPerSecond);
  if (trial.bitsPerSecond < SOUND_BITS) return check("network", "bad", interpolate(gettext("The network is too weak even for sound (%s). Look for a place with better reception."), [speed]));
  return check("network", ...networkWords(QUALITIES[qualityFor(trial.bitsPerSecond)].name, speed));
}

function networkWords(quality, speed) {
  switch (quality) {
    case "full":
      return ["ok", interpolate(gettext("Network: good (%s)."), [speed])];
    case "reduced":
      return ["warn", interpolate(gettext("The network is enough for a smaller picture only (%s)."), [speed])];
    case "small":
      return ["warn", interpolate(gettext("Weak network (%s): the picture will be small. A place with better reception helps."), [speed])];
    default:
      return ["warn", interpolate(gettext("Very weak network (%s): it carries sound and a still picture only."), [speed])];
  }
}

/** Nothing depends on this device's clock: it is only told. */
export function clockCheck({ trial }) {
  if (!trial) return check("clock", "wait", gettext("Comparing the clock…"));
  const seconds = Math.round(Math.abs(trial.clockOffMs) / 1000);
  if (seconds * 1000 <= CLOCK_OFF_MS) return check("clock", "ok", gettext("Clock: correct."));
  const away = seconds < 120
    ? interpolate(ngettext("%s second", "%s seconds", seconds), [seconds])
    : interpolate(gettext("%s minutes"), [Math.round(seconds / 60)]);
  const text = trial.clockOffMs > 0
    ? gettext("This device’s clock is %s slow. The show is right all the same.")
    : gettext("This device’s clock is %s fast. The show is right all the same.");
  return check("clock", "warn", interpolate(text, [away]));
}

/** @param {{level: number, charging: boolean}|null} battery `null` where the browser does not tell */
export function batteryCheck(battery) {
  if (!battery) return null;
  const left = new Intl.NumberFormat(document.documentElement.lang || "en", { style: "percent" }).format(battery.level);
  if (battery.charging) return check("battery", "ok", interpolate(gettext("Battery: %s, charging."), [left]));
  if (battery.level > BATTERY_LOW) return check("battery", "ok", interpolate(gettext("Battery: %s."), [left]));
  return check("battery", "warn", interpolate(gettext("The battery has %s left. Plug the charger in."), [left]));
}

/** 1234567 → "1.2 Mbit/s". */
export function bitRate(bitsPerSecond) {
  if (bitsPerSecond < 1_000_000) return interpolate(gettext("%s kbit/s"), [Math.round(bitsPerSecond / 1000)]);
  return interpolate(gettext("%s Mbit/s"), [(bitsPerSecond / 1_000_000).toFixed(bitsPerSecond < 10_000_000 ? 1 : 0)]);
}

const ORDER = ["bad", "warn", "wait", "ok"];

/** The check that matters most; `null` where there is none. */
export function worst(checks) {
  return [...checks].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state))[0] ?? null;
}
