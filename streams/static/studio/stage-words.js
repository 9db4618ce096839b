// What the host is told of the broadcast, in words.

import { QUALITIES, SOUND_ONLY } from "./uplink.js";

/**
 * One sentence on how it goes. `broadcaster` is a `Broadcaster`, `room` is `{startedAt,
 * interrupted}`, `wasHere` says that this page's own broadcast runs on the server, `troubles` is
 * what the camera lacks (`camera`, `picture`, `sound`), `check` the worst of the checks before the show.
 */
export function stageWords(broadcaster, { room, wasHere, troubles, check, hasCamera }) {
  const waiting = broadcaster.waitingSeconds;
  switch (broadcaster.state) {
    case "connecting":
      return gettext("Connecting…");
    case "live":
      return liveWords(broadcaster, waiting, troubles);
    case "waiting":
      if (broadcaster.problem?.message) return `${broadcaster.problem.message} ${keptWords(waiting)}`;
      return interpolate(ngettext("Waiting for the network. %s second is kept on this device and sent when it is back.", "Waiting for the network. %s seconds are kept on this device and sent when it is back.", waiting), [waiting]);
    case "full":
      return gettext("The network has been away too long: what happens now is not recorded. It goes on by itself when the network is back.");
    case "finishing":
      return gettext("Sending the last seconds…");
    case "moved":
      return gettext("The show goes on from another phone. This one has stopped filming.");
    case "refused":
      return gettext("Not live.");
    default:
      return idleWords({ room, wasHere, check, hasCamera });
  }
}

function keptWords(seconds) {
  return interpolate(ngettext("%s second is kept on this device.", "%s seconds are kept on this device.", seconds), [seconds]);
}

function liveWords({ quality, isCatchingUp, lostSeconds }, waiting, troubles) {
  const now = nowWords({ quality, isCatchingUp }, waiting, troubles);
  if (lostSeconds === 0) return now;
  const lost = ngettext("The network was away too long: %s second is missing in the recording.", "The network was away too long: %s seconds are missing in the recording.", lostSeconds);
  return `${now} ${interpolate(lost, [lostSeconds])}`;
}

function nowWords({ quality, isCatchingUp }, waiting, troubles) {
  if (troubles.camera) return gettext("The camera is gone. Plug it in again or choose another one: the show goes on then.");
  if (troubles.picture) return gettext("Your device has taken the camera, perhaps for a call. Viewers hear you and see a still picture.");
  if (troubles.sound) return gettext("You are live, but your device has switched the microphone off. Is it muted, or in a call?");
  if (quality === SOUND_ONLY) return gettext("Very weak network: sound only. Viewers see a still picture until the network is better.");
  if (isCatchingUp) return gettext("The network is back. Sending what was recorded meanwhile: viewers see you again in a moment.");
  if (QUALITIES[quality].name !== "full") return gettext("You are live. Weak network: picture reduced.");
  if (waiting > 3) return interpolate(ngettext("You are live. The network is slow: %s second behind.", "You are live. The network is slow: %s seconds behind.", waiting), [waiting]);
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
export function goLiveWords({ state }, { room, wasHere, isTaken }) {
  if (state === "moved" || isTaken) return gettext("Continue on this phone");
  if (!room.startedAt) return gettext("Go live");
  if (wasHere) return gettext("Go on");
  return room.interrupted ? gettext("Go live") : gettext("Continue on this phone");
}
