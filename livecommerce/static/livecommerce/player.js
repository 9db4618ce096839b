/** Video by HLS. hls.js is fetched only when a video is to be played: the page is usable before. */

const HLS = new URL("../vendor/hls.mjs", import.meta.url).href;

/**
 * @typedef {object} Attached
 * @property {() => void} detach stop loading and let go of the video
 * @property {any} hls the hls.js instance, `null` where the browser plays HLS by itself
 */

/**
 * Play `url` in `video`. hls.js is preferred over the browser's own HLS, because it tells the
 * playing date; where there is no MediaSource (older iPhones) the browser plays it itself.
 *
 * @param {HTMLVideoElement} video
 * @param {string} url of a playlist
 * @param {{live?: boolean, onError?: (detail: string) => void}} [options] `onError` hears only
 *   what hls.js could not mend
 * @returns {Promise<Attached>}
 */
export async function attachHls(video, url, { live = false, onError = () => {} } = {}) {
  const { default: Hls } = await import(HLS);
  if (!Hls.isSupported()) return attachNative(video, url, onError);
  const hls = new Hls(live ? LIVE : REPLAY);
  hls.on(Hls.Events.ERROR, mend(hls, Hls, onError));
  hls.loadSource(url);
  hls.attachMedia(video);
  const leave = live ? () => {} : stepOverHoles(video);
  const detach = () => {
    leave();
    hls.destroy();
  };
  return { hls, detach };
}

// The best picture first: without a guess of the line hls.js begins with the smallest.
const LIVE = { abrEwmaDefaultEstimate: 8_000_000, testBandwidth: false, liveSyncDurationCount: 2, liveMaxLatencyDurationCount: 6, maxLiveSyncPlaybackRate: 1.1, backBufferLength: 30 };
const REPLAY = { maxBufferLength: 30, backBufferLength: 60 };

const STUCK_MS = 500;
/** Where one take follows another, picture and sound do not begin and end at the same moment. */
const HOLE_S = 0.5;

/**
 * A browser shows nothing of the last tenths of a second before a hole, and hls.js steps over one
 * only while the video plays: who looks for a moment has paused it.
 *
 * @param {HTMLVideoElement} video @returns {() => void} stops it
 */
function stepOverHoles(video) {
  let timer = 0;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(step, STUCK_MS);
  };
  const step = () => {
    if (!video.seeking) return;
    const next = video.paused ? afterHole(video.buffered, video.currentTime) : null;
    if (next === null) wait();
    else video.currentTime = next;
  };
  video.addEventListener("seeking", wait);
  return () => {
    clearTimeout(timer);
    video.removeEventListener("seeking", wait);
  };
}

/**
 * @param {{length: number, start: (n: number) => number, end: (n: number) => number}} buffered
 * @param {number} at a second in a small hole, or so close before it that nothing is shown of it
 * @returns {number|null} the second behind the hole, `null` where there is none
 */
export function afterHole(buffered, at) {
  for (let n = 1; n < buffered.length; n++) {
    const [end, start] = [buffered.end(n - 1), buffered.start(n)];
    if (end > at - HOLE_S && start > at && start - at < HOLE_S && start - end < HOLE_S) return start;
  }
  return null;
}

/** A broken decoder is restarted up to three times; everything else that is fatal is told. */
function mend(hls, Hls, onError) {
  let repairs = 0;
  return (_event, data) => {
    if (!data.fatal) return;
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR && repairs++ < 3) hls.recoverMediaError();
    else onError(data.details);
  };
}

function attachNative(video, url, onError) {
  const failed = () => onError("native");
  video.addEventListener("error", failed);
  video.src = url;
  const detach = () => {
    video.removeEventListener("error", failed);
    video.removeAttribute("src");
    video.load();
  };
  return { hls: null, detach };
}
