/**
 * Keeps a video close behind the newest part.
 *
 * Parts come in steps of 100 ms and not evenly. What counts is how much is left just before the
 * next one comes, the trough: the smallest of the last seconds is kept at a small reserve, which
 * grows when the picture had to wait and shrinks again when it did not.
 */

const LOOK_EVERY_MS = 100;
const TROUGHS_OVER_MS = 2_500;
const LEAST_RESERVE_S = 0.06;
const MOST_RESERVE_S = 1.2;
const AFTER_STALL = 1.6;
const SHRINKS_EVERY_MS = 5_000;
const SHRINKS_BY = 0.85;
const JUMP_BEYOND_S = 1;
/**
 * A picture that waits although so much is there does so for its sound: Chromium wants twice as
 * much of it after each underflow, until a jump makes it forget.
 */
const ENOUGH_S = 0.25;
const SLACK_S = 0.04;
const FASTEST = 1.1;
/** Nobody hears a silent video hurry, as most are at first. */
const FASTEST_UNHEARD = 1.25;
const SLOWEST = 0.97;
/** A hole in what is buffered is jumped over; what lies so close is none. */
const EDGE_S = 0.02;
const STALLS_WITHIN_MS = 30_000;

export class LiveEdge {
  /** @type {{at: number, leftS: number}[]} */ #troughs = [];
  /** @type {number[]} */ #stalls = [];
  /** @type {ReturnType<typeof setInterval>|undefined} */ #timer;
  #reserveS = LEAST_RESERVE_S;
  #calmSince = 0;
  #endS = 0;
  #hasBegun = false;
  jumps = 0;

  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.video = video;
    this.waiting = () => this.#stalled();
    this.look = () => this.#look();
  }

  /** Another source: nothing is known of it yet. */
  begin() {
    this.stop();
    this.#hasBegun = false;
    this.#troughs = [];
    this.#endS = 0;
    this.video.addEventListener("waiting", this.waiting);
    document.addEventListener("visibilitychange", this.look);
    this.#timer = setInterval(this.look, LOOK_EVERY_MS);
  }

  stop() {
    clearInterval(this.#timer);
    this.video.removeEventListener("waiting", this.waiting);
    document.removeEventListener("visibilitychange", this.look);
    this.video.playbackRate = 1;
  }

  /** How often the picture had to wait lately. */
  get stalls() {
    const since = performance.now() - STALLS_WITHIN_MS;
    this.#stalls = this.#stalls.filter((at) => at > since);
    return this.#stalls.length;
  }

  get #waits() {
    return this.video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
  }

  get reserveS() {
    return this.#reserveS;
  }

  forgetStalls() {
    this.#stalls = [];
  }

  /** Something was appended; whether that is the first that can be shown. */
  follow() {
    const { buffered } = this.video;
    if (!buffered.length) return false;
    const endS = buffered.end(buffered.length - 1);
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#endS = endS;
      this.#calmSince = performance.now();
      this.#jump();
      return true;
    }
    if (endS > this.#endS) this.#note(endS);
    return false;
  }

  #note(/** @type {number} */ endS) {
    const now = performance.now();
    this.#troughs = this.#troughs.filter((one) => one.at > now - TROUGHS_OVER_MS);
    // While the picture waits nothing is left, which says nothing of the time after.
    if (!this.#waits) this.#troughs.push({ at: now, leftS: this.#endS - this.video.currentTime });
    this.#endS = endS;
    this.#look();
  }

  #look() {
    const { video } = this;
    if (!this.#hasBegun || video.seeking) return;
    const aheadS = this.#endS - video.currentTime;
    const mostS = (this.#waits ? ENOUGH_S : JUMP_BEYOND_S) + this.#reserveS;
    if (aheadS > mostS || this.#isInHole()) this.#jump();
    else this.#pace();
    this.#calmDown();
  }

  #pace() {
    const rate = this.#rate();
    if (this.video.playbackRate !== rate) this.video.playbackRate = rate;
  }

  #rate() {
    if (this.#troughs.length < 3) return 1;
    const leftS = Math.min(...this.#troughs.map((one) => one.leftS));
    const tooMuchS = leftS - this.#reserveS;
    const hurries = this.video.playbackRate > 1;
    if (tooMuchS > SLACK_S || (hurries && tooMuchS > 0)) return this.#hurry(tooMuchS);
    return tooMuchS < -SLACK_S ? SLOWEST : 1;
  }

  #hurry(/** @type {number} */ tooMuchS) {
    if (tooMuchS > 0.15) return this.video.muted ? FASTEST_UNHEARD : FASTEST;
    return tooMuchS > 0.08 ? 1.06 : 1.03;
  }

  /** To the newest that can be shown without waiting at once. */
  #jump() {
    const { buffered } = this.video;
    const last = buffered.length - 1;
    if (last < 0) return;
    const toS = Math.max(buffered.start(last) + EDGE_S / 2, buffered.end(last) - this.#reserveS - 0.1);
    if (Math.abs(toS - this.video.currentTime) < EDGE_S) return;
    this.jumps += 1;
    this.#troughs = [];
    this.video.currentTime = toS;
  }

  /** Whether what comes next is not there, and something later is. */
  #isInHole() {
    const { buffered, currentTime } = this.video;
    for (let n = 0; n < buffered.length; n++) {
      if (currentTime >= buffered.start(n) - EDGE_S && currentTime < buffered.end(n) - EDGE_S) return false;
    }
    return buffered.length > 0 && buffered.start(buffered.length - 1) > currentTime;
  }

  #stalled() {
    if (!this.#hasBegun || this.video.seeking || document.hidden) return;
    this.#stalls.push(performance.now());
    this.#troughs = []; // the reserve has this one in it from here on
    this.#calmSince = performance.now();
    this.#reserveS = Math.min(MOST_RESERVE_S, this.#reserveS * AFTER_STALL);
  }

  #calmDown() {
    const now = performance.now();
    if (now - this.#calmSince < SHRINKS_EVERY_MS) return;
    this.#calmSince = now;
    this.#reserveS = Math.max(LEAST_RESERVE_S, this.#reserveS * SHRINKS_BY);
  }
}
