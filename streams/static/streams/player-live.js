/**
 * The live picture: starts by itself (muted where it must), and mends itself while the show runs.
 *
 * Parts over a socket come first (`player-wire`, `player-mse`), half a second behind the camera.
 * HLS takes over while that does not work, and gives way once it does again. How it is played is
 * said on the stage: `data-delivery` (mse, hls, native, audio, saver) and `data-delay-ms`, and of
 * the socket `data-parts`, `data-skips`, `data-stalls` (of the last 30 s) and `data-jumps`.
 */

import { attachHls } from "../livecommerce/player.js";
import { show } from "../livecommerce/dom.js";
import { recall, remember } from "../livecommerce/store.js";
import { QualityChoice, Stills } from "./player-choice.js";

const TRY_AGAIN_MS = 2_000;
const LOOK_EVERY_MS = 250;
/** A picture that has not moved for this long is fetched anew. */
const STUCK_MS = 9_000;
const STUCK_OVER_SOCKET_MS = 5_000;
/** How long the socket may take to show something before HLS does. */
const SOCKET_WITHIN_MS = 4_000;
const DISTRUSTED_MS = 15_000;
const DISTRUSTED_AT_MOST_MS = 300_000;
const TRUSTED_AFTER_MS = 60_000;
const TROUBLED_STALLS = 3;
const TOO_MANY_STALLS = 8;
const SKIPPED_MS = 400;
const NOTHING_COMES_MS = 2_000;
/** A picture that stands for so long is told to be away; how late it is means nothing sooner. */
const AWAY_MS = 2_000;
const STANDS_MS = 1_000;
const SOUND_WANTED = "livecommerce.sound";
const DELAY_SHOWN_EVERY_MS = 1_000;

/** @typedef {{take: import("./player-wire.js").Take, init: Uint8Array<ArrayBuffer>|null}} Coming */

export class LivePlayer {
  /** @type {import("../livecommerce/player.js").Attached|null} */ #hls = null;
  /** @type {import("./player-mse.js").MsePlayer|null} */ #mse = null;
  /** @type {import("./player-wire.js").LiveWire|null} */ #wire = null;
  /** @type {typeof import("./player-mse.js")|null} */ #engine = null;
  /** @type {Coming|null} */ #coming = null;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #fallback;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #trustAgain;
  /** @type {ReturnType<typeof setInterval>|undefined} */ #timer;
  #wanted = false;
  #hadTake = false;
  #distrustMs = DISTRUSTED_MS;
  #partAt = 0;
  #parts = 0;
  #skips = 0;
  #endMs = 0;
  #mseSince = 0;
  #movedAt = 0;
  /** When something was last seen to move, whoever brought it. */
  #flowedAt = 0;
  #isLate = false;
  #lastTime = -1;
  #shownAt = 0;
  #run = 0;

  /**
   * @param {HTMLElement} stage carries `has-picture` and `data-shape` for the style sheet
   * @param {HTMLVideoElement} video
   * @param {HTMLElement} soundButton shown while the browser keeps the video silent
   * @param {() => Promise<string|null>} findUrl the live playlist, `null` while there is none
   * @param {{path?: string, delay?: HTMLElement|null, quality?: HTMLElement|null, onFlow?: () => void}} [more]
   *   the address of the live socket, where the page shows the delay and the choice of quality,
   *   and who hears that `isAway` or `isLate` has changed
   */
  constructor(stage, video, soundButton, findUrl, { path = "", delay = null, quality = null, onFlow = () => {} } = {}) {
    Object.assign(this, { stage, video, soundButton, findUrl, path, delay, onFlow });
    this.choice = new QualityChoice(quality, () => this.#chosen());
    this.stills = new Stills(stage);
    showShape(stage, video);
    video.addEventListener("playing", () => stage.classList.add("has-picture"));
    video.addEventListener("volumechange", () => this.#showSound());
    soundButton.addEventListener("click", () => this.unmute());
  }

  /** Whether the picture that was there stands, for whatever reason. */
  get isAway() {
    return this.stage.classList.contains("is-away");
  }

  /** Whether the camera is back but sends what it kept first, which is not shown. */
  get isLate() {
    return this.#isLate;
  }

  /** Play, and keep at it. Doing it twice does no harm. */
  start() {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#movedAt = Date.now();
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#startSocket().catch((error) => this.#noSocket(error));
  }

  stop() {
    this.#wanted = false;
    this.#run += 1;
    clearInterval(this.#timer);
    clearTimeout(this.#fallback);
    clearTimeout(this.#trustAgain);
    this.#wire?.stop();
    this.#detach();
    this.#coming = null;
    this.stage.classList.remove("has-picture", "is-sound", "is-away");
    this.soundButton.hidden = true;
  }

  unmute() {
    this.video.muted = false;
    remember(SOUND_WANTED, true);
    this.video.play().catch(() => this.#playMuted());
  }

  // Over the socket

  async #startSocket() {
    if (!this.path || !(globalThis.ManagedMediaSource ?? globalThis.MediaSource)) return this.#attachHls();
    const [wire, engine] = await Promise.all([import("./player-wire.js"), import("./player-mse.js")]);
    if (!this.#wanted) return;
    this.#engine = engine;
    this.#wire ??= new wire.LiveWire(this.path, {
      onTake: (take) => this.#takeComes(take),
      onInit: (bytes) => this.#initComes(bytes),
      onPart: (bytes, isKey, wallMs) => this.#partComes(bytes, isKey, wallMs),
      onOff: (why) => this.#socketIsOff(why),
      onLate: () => this.#late(true),
      onRenditions: (renditions, poster) => this.choice.offer(renditions, poster),
    });
    this.#wire.start();
    this.#fallBackSoon();
  }

  #noSocket(/** @type {unknown} */ error) {
    console.warn("no live socket:", error);
    if (this.#wanted) this.#attachHls();
  }

  #takeComes(/** @type {import("./player-wire.js").Take} */ take) {
    this.#hadTake = true;
    this.#endMs = 0;
    this.#coming = { take, init: null };
    if (!this.#engine?.canPlay(take.mime)) this.#distrust(`cannot play ${take.mime}`);
  }

  #initComes(/** @type {Uint8Array<ArrayBuffer>} */ bytes) {
    if (this.#coming) this.#coming.init = bytes;
  }

  #partComes(/** @type {Uint8Array<ArrayBuffer>} */ bytes, /** @type {boolean} */ isKey, /** @type {number} */ wallMs) {
    // It stood because nothing came: the player has its time from now on.
    if (Date.now() - this.#partAt > NOTHING_COMES_MS) this.#movedAt = Date.now();
    this.#partAt = Date.now();
    if (isKey && this.#coming) this.#beginTake(this.#coming);
    if (isKey && !this.#isLate && this.#endMs && wallMs - this.#endMs > SKIPPED_MS) this.#skipped();
    this.#late(false);
    this.#endMs = wallMs;
    this.#parts += 1;
    this.#mse?.part(bytes);
  }

  #late(/** @type {boolean} */ isLate) {
    if (isLate === this.#isLate) return;
    this.#isLate = isLate;
    this.onFlow();
  }

  /** The server left something out, because this line is too slow for it. */
  #skipped() {
    this.#skips += 1;
    this.choice.trouble();
  }

  /** Not before its first key frame is here: until then whatever plays may go on. */
  #beginTake(/** @type {Coming} */ { take, init }) {
    this.#coming = null;
    if (!init || !this.#engine) return;
    clearTimeout(this.#fallback);
    if (!this.#mse) {
      this.#run += 1; // HLS may be on its way
      this.#detach();
      const ready = () => this.#play();
      this.#mse = new this.#engine.MsePlayer(this.video, (reason) => this.#distrust(reason), ready);
      this.#mseSince = this.#movedAt = Date.now();
    }
    this.#mse.begin(take);
    this.#mse.init(init);
    this.#showsSound(take.rendition === "audio");
  }

  /** Without a line, or a camera that this server hears, HLS may still have the picture. */
  #socketIsOff(/** @type {string} */ why) {
    this.#coming = null;
    if (why !== "off" || !this.#hadTake) this.#fallBackSoon();
  }

  #fallBackSoon() {
    clearTimeout(this.#fallback);
    if (this.#hls) return;
    this.#fallback = setTimeout(() => this.#fallBack(), SOCKET_WITHIN_MS);
  }

  #fallBack() {
    if (this.#wanted && !this.#hls && Date.now() - this.#partAt >= SOCKET_WITHIN_MS) this.#attachHls();
  }

  /** It does not work here and now: HLS until it is tried again, later each time. */
  #distrust(/** @type {string} */ reason) {
    console.warn("the live socket is left for a while:", reason);
    if (!this.#wanted) return;
    if (Date.now() - this.#mseSince > TRUSTED_AFTER_MS) this.#distrustMs = DISTRUSTED_MS;
    this.#wire?.stop();
    this.#coming = null;
    clearTimeout(this.#trustAgain);
    this.#trustAgain = setTimeout(() => this.#wire?.start(), this.#distrustMs);
    this.#distrustMs = Math.min(DISTRUSTED_AT_MOST_MS, this.#distrustMs * 2);
    this.#attachHls();
  }

  #chosen() {
    this.#wire?.choose(this.choice.rendition);
    this.stills.show(this.choice.isSaver && this.#wanted ? this.choice.poster : null);
    if (this.#mse && this.stage.classList.contains("is-sound")) this.#showsSound(true);
  }

  #showsSound(/** @type {boolean} */ isSound) {
    this.stage.classList.toggle("is-sound", isSound);
    this.stage.dataset.delivery = !isSound ? "mse" : this.choice.isSaver ? "saver" : "audio";
  }

  // By HLS

  async #attachHls() {
    const run = ++this.#run;
    try {
      const url = await this.findUrl();
      if (!this.#isCurrent(run)) return;
      if (url === null) return this.#again(run);
      this.#detach();
      const attached = await attachHls(this.video, url, { live: true, onError: () => this.#again(run) });
      if (!this.#isCurrent(run)) return attached.detach();
      this.#hls = attached;
      this.stage.dataset.delivery = attached.hls ? "hls" : "native";
      this.stage.classList.remove("is-sound");
      await this.#play();
    } catch (error) {
      console.warn("no picture yet:", error);
      this.#again(run);
    }
  }

  #isCurrent(/** @type {number} */ run) {
    return this.#wanted && run === this.#run;
  }

  #again(/** @type {number} */ run) {
    if (!this.#isCurrent(run)) return;
    this.#detachHls();
    setTimeout(() => this.#isCurrent(run) && this.#attachHls(), TRY_AGAIN_MS);
  }

  #detachHls() {
    this.#hls?.detach();
    this.#hls = null;
  }

  #detach() {
    this.#detachHls();
    this.#mse?.detach();
    this.#mse = null;
    delete this.stage.dataset.delivery;
    this.#hideDelay();
  }

  // Both

  async #play() {
    this.video.muted = recall(SOUND_WANTED) !== true;
    try {
      await this.video.play();
    } catch {
      await this.#playMuted();
    }
    this.#showSound();
  }

  /** Browsers start a video with sound only after a tap. */
  async #playMuted() {
    this.video.muted = true;
    await this.video.play().catch(() => {}); // the watch below tries again
    this.#showSound();
  }

  #showSound() {
    this.soundButton.hidden = !this.#wanted || !this.video.muted || this.isAway;
  }

  #look() {
    this.#lookWhetherItFlows();
    if (document.hidden || this.video.currentTime !== this.#lastTime) {
      this.#lastTime = this.video.currentTime;
      this.#movedAt = Date.now();
    }
    this.#showDelay();
    if (this.#mse) this.#lookAtSocket(this.#mse);
    else if (this.#hls && Date.now() - this.#movedAt > STUCK_MS) {
      this.#movedAt = Date.now();
      this.#attachHls();
    }
  }

  /** Before the first picture nothing is away: the page says that it comes. */
  #lookWhetherItFlows() {
    const { video, stage } = this;
    const moves = video.currentTime !== this.#lastTime && video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
    if (document.hidden || moves || !stage.classList.contains("has-picture")) this.#flowedAt = Date.now();
    const isAway = Date.now() - this.#flowedAt > AWAY_MS;
    if (isAway === this.isAway) return;
    stage.classList.toggle("is-away", isAway);
    this.#showSound();
    this.onFlow();
  }

  #lookAtSocket(/** @type {import("./player-mse.js").MsePlayer} */ mse) {
    const figures = { parts: this.#parts, skips: this.#skips, stalls: mse.edge.stalls, jumps: mse.edge.jumps };
    Object.assign(this.stage.dataset, figures);
    const comes = Date.now() - this.#partAt < 1_000;
    const stands = Date.now() - this.#movedAt;
    if (this.video.paused && comes && !document.hidden) this.video.play().catch(() => this.#playMuted());
    if (comes && stands > STUCK_OVER_SOCKET_MS) return this.#fail(mse, "the picture stands");
    if (mse.edge.stalls >= TOO_MANY_STALLS) return this.#fail(mse, "the picture stands again and again");
    if (mse.edge.stalls >= TROUBLED_STALLS) this.choice.trouble();
    else if (!mse.edge.stalls) this.choice.calm();
  }

  #fail(/** @type {import("./player-mse.js").MsePlayer} */ mse, /** @type {string} */ reason) {
    mse.edge.forgetStalls();
    this.#detach();
    this.#distrust(reason);
  }

  #showDelay() {
    const shownMs = this.#shownMs();
    const stands = Date.now() - this.#flowedAt > STANDS_MS;
    if (shownMs === null || stands || this.video.paused) return this.#hideDelay();
    const delayMs = (this.#wire?.clock.nowMs ?? Date.now()) - shownMs;
    this.stage.dataset.delayMs = String(Math.round(delayMs));
    if (!this.delay || Date.now() - this.#shownAt < DELAY_SHOWN_EVERY_MS) return;
    this.#shownAt = Date.now();
    this.delay.textContent = interpolate(gettext("%s s behind"), [Math.max(0, delayMs / 1000).toFixed(1)]);
    show(this.delay, delayMs > -1_000 && delayMs < 120_000);
  }

  #hideDelay() {
    delete this.stage.dataset.delayMs;
    if (this.delay) show(this.delay, false);
  }

  /** The wall time (ms) of what is shown, where that is known. @returns {number|null} */
  #shownMs() {
    if (this.#mse) return this.#shownBySocketMs(this.#mse);
    if (!this.#hls) return null;
    const native = /** @type {any} */ (this.video).getStartDate?.()?.getTime();
    const began = Number.isFinite(native) ? native + this.video.currentTime * 1000 : null;
    return this.#hls.hls?.playingDate?.getTime() ?? began;
  }

  #shownBySocketMs(/** @type {import("./player-mse.js").MsePlayer} */ mse) {
    const shownMs = Date.now() - this.#partAt < NOTHING_COMES_MS ? mse.shownMs : null;
    return shownMs === null ? null : shownMs + (this.#wire?.driftMs ?? 0);
  }
}

/** Tell the style sheet whether the picture stands or lies. */
export function showShape(stage, video) {
  const set = () => {
    if (!video.videoWidth) return;
    stage.dataset.shape = video.videoHeight > video.videoWidth ? "tall" : "wide";
  };
  video.addEventListener("loadedmetadata", set);
  video.addEventListener("resize", set);
}
