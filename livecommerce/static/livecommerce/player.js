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
  return { hls, detach: () => hls.destroy() };
}

// The best picture first: without a guess of the line hls.js begins with the smallest.
const LIVE = { abrEwmaDefaultEstimate: 8_000_000, testBandwidth: false, liveSyncDurationCount: 2, liveMaxLatencyDurationCount: 6, maxLiveSyncPlaybackRate: 1.1, backBufferLength: 30 };
const REPLAY = { maxBufferLength: 30, backBufferLength: 60 };

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
