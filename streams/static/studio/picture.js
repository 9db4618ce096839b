// What a take records of the camera: all of it, a smaller copy, or a still picture with the sound.

import { QUALITIES, SOUND_ONLY } from "./uplink.js";

const STILL = { width: 320, height: 180 };
const STILL_EVERY_MS = 200;

/**
 * The tracks to be recorded at a quality: `{stream, release}`; call `release()` when the recorder
 * has stopped. The camera itself stays as it is, for the preview and for the next take.
 */
export async function pictureOf(stream, preview, quality) {
  if (quality === SOUND_ONLY) return stillPicture(stream, preview);
  const { lines, frameRate } = QUALITIES[quality];
  const [camera] = stream.getVideoTracks();
  const { width = 0, height = 0 } = camera.getSettings();
  if (Math.min(width, height) <= lines) return { stream, release() {} };
  return smaller(stream, camera.clone(), { width, height, lines, frameRate });
}

async function smaller(stream, copy, { width, height, lines, frameRate }) {
  const scale = lines / Math.min(width, height);
  const size = { width: { ideal: even(width * scale) }, height: { ideal: even(height * scale) } };
  try {
    await copy.applyConstraints({ ...size, frameRate: { ideal: frameRate } });
  } catch (error) {
    // A camera that knows one size only: fewer bits of the same size have to do.
    if (error.name !== "OverconstrainedError") throw error;
  }
  return { stream: withSound(stream, copy), release: () => copy.stop() };
}

function even(pixels) {
  return 2 * Math.round(pixels / 2);
}

// A track of its own rather than none: the recording stays one film that every player can play.
function stillPicture(stream, preview) {
  const canvas = Object.assign(document.createElement("canvas"), sizeOfStill(preview));
  const context = canvas.getContext("2d", { alpha: false });
  drawStill(context, preview);
  // A canvas hands a frame over only where something was drawn.
  const timer = setInterval(() => context.fillRect(0, 0, 1, 1), STILL_EVERY_MS);
  const [track] = canvas.captureStream().getVideoTracks();
  const release = () => {
    clearInterval(timer);
    track.stop();
  };
  return { stream: withSound(stream, track), release };
}

function sizeOfStill({ videoWidth, videoHeight }) {
  const isUpright = videoHeight > videoWidth;
  return isUpright ? { width: STILL.height, height: STILL.width } : STILL;
}

// The last picture, dimmed and soft, under a loudspeaker: the same in every language.
function drawStill(context, preview) {
  const { width, height } = context.canvas;
  context.filter = "blur(4px) brightness(45%)";
  if (preview.videoWidth) context.drawImage(preview, 0, 0, width, height);
  context.filter = "none";
  context.translate(width / 2 - 24, height / 2 - 24);
  context.scale(2, 2);
  context.fillStyle = "#fff";
  context.fill(new Path2D("M3 9v6h4l5 4V5L7 9z"));
  context.lineWidth = 2;
  context.strokeStyle = "#fff";
  context.stroke(new Path2D("M15.5 8.5a5 5 0 0 1 0 7M18 6a8.5 8.5 0 0 1 0 12"));
  context.resetTransform();
}

function withSound(stream, picture) {
  return new MediaStream([picture, ...stream.getAudioTracks()]);
}
