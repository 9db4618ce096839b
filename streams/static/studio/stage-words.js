// What the host is told of the broadcast, in words.

import { duration } from "../livecommerce/format.js";
import { QUALITIES, SOUND_ONLY } from "./uplink.js";

/**
 * One sentence on how it goes. `broadcaster` is a `Broadcaster`, `room` is `{startedAt,
 * interrupted}`, `wasHere` says that this page's own broadcast runs on the server, `troubles` is
 * what the camera lacks (`camera`, `picture`, `sound`), `check` the worst of the checks before the show.
 */
export function stageWords(broadcaster, { room, wasHere, troubles, check, hasCamera, isRehearsal = false, isPractice = false }) {
  const waiting = broadcaster.waitingSeconds;
  const kept = waiting + broadcaster.keptSeconds;
  switch (broadcaster.state) {
    case "connecting":
      return gettext("Connecting…");
    case "live":
      return liveWords(broadcaster, waiting, troubles, isRehearsal, isPractice);
    case "waiting":
      if (broadcaster.problem?.message) return `${broadcaster.problem.message} ${keptWords(kept)}`;
      return interpolate(ngettext("Waiting for the network. %s second is kept on this device and sent when it is back.", "Waiting for the network. %s seconds are kept on this device and sent when it is back.", kept), [kept]);
    case "full":
      return gettext("The network has been away too long: what happens now is not recorded. It goes on by itself when the network is back.");
    case "finishing":
      return lastWords(kept);
    case "moved":
      return `${gettext("The show goes on from another phone. This one has stopped filming.")} ${restWords(broadcaster)}`.trim();
    case "refused":
      return `${gettext("Not live.")} ${restWords(broadcaster)}`.trim();
    default:
      return idleWords({ room, wasHere, check, hasCamera });
  }
}

/** While the last of a show is sent. */
export function lastWords(seconds) {
  if (seconds <= 1) return gettext("Sending the last seconds…");
  return interpolate(gettext("Sending the last %s. Keep this page open."), [duration(seconds)]);
}

/** What this phone still has of a show that goes on, or has ended, without it. */
function restWords({ keptSeconds, lostSeconds }) {
  const left = gettext("Sending what was kept here: %s left. Keep this page open.");
  if (keptSeconds > 0) return interpolate(left, [duration(keptSeconds)]);
  return lostSeconds > 0 ? lostWords(lostSeconds) : "";
}

function lostWords(seconds) {
  return interpolate(ngettext("%s second could not be sent and is missing in the recording.", "%s seconds could not be sent and are missing in the recording.", seconds), [seconds]);
}

function keptWords(seconds) {
  return interpolate(ngettext("%s second is kept on this device.", "%s seconds are kept on this device.", seconds), [seconds]);
}

function liveWords(broadcaster, waiting, troubles, isRehearsal, isPractice) {
  const { keptSeconds, lostSeconds } = broadcaster;
  const sending = gettext("Sending what was kept: %s left.");
  const words = [nowWords(broadcaster, waiting, troubles, isRehearsal, isPractice)];
  if (keptSeconds > 0) words.push(interpolate(sending, [duration(keptSeconds)]));
  if (lostSeconds > 0) words.push(lostWords(lostSeconds));
  return words.join(" ");
}

function nowWords({ quality }, waiting, troubles, isRehearsal, isPractice) {
  if (troubles.camera) return gettext("The camera is gone. Plug it in again or choose another one: the show goes on then.");
  if (troubles.picture) return gettext("Your device has taken the camera, perhaps for a call. Viewers hear you and see a still picture.");
  if (troubles.sound) return gettext("You are live, but your device has switched the microphone off. Is it muted, or in a call?");
  if (quality === SOUND_ONLY) return gettext("Very weak network: sound only. Viewers see a still picture until the network is better.");
  if (QUALITIES[quality].name !== "full") return gettext("You are live. Weak network: picture reduced.");
  if (waiting > 3) return interpolate(ngettext("You are live. The network is slow: %s second behind.", "You are live. The network is slow: %s seconds behind.", waiting), [waiting]);
  if (isPractice) return gettext("The practice runs. The buyers hear whether you speak.");
  if (isRehearsal) return gettext("The rehearsal runs. Only you can see it.");
  return gettext("You are live. Viewers see you now.");
}

function idleWords({ room, wasHere, check, hasCamera }) {
  if (room.startedAt && wasHere) return gettext("The show is running, and you were filming it here. Tap “Go on” to come back.");
  if (room.startedAt && !room.interrupted) return gettext("This show is being filmed by another phone.");
  if (check && check.state !== "ok" && check.state !== "wait") return check.text;
  if (!hasCamera) return gettext("No picture yet.");
  if (room.startedAt) return gettext("The show is running, but without a camera. Tap “Go live” to go on.");
  return gettext("Camera and microphone are ready. Nobody sees you yet.");
}

/** What the big button says. */
export function goLiveWords({ state }, { room, wasHere, isTaken, isRehearsal = false, isPractice = false }) {
  if (state === "moved" || isTaken) return gettext("Continue on this phone");
  if (!room.startedAt && isPractice) return gettext("Start the practice");
  if (!room.startedAt) return isRehearsal ? gettext("Start the rehearsal") : gettext("Go live");
  if (wasHere) return gettext("Go on");
  return room.interrupted ? gettext("Go live") : gettext("Continue on this phone");
}
