/**
 * Live parts into a video by MediaSource (ManagedMediaSource on iPhones), close behind their making.
 *
 * The timeline is wall time: zero is where the first take began, and each take is put where it
 * belongs, so that a new take or another rendition needs no new player.
 */

import { LiveEdge } from "./player-edge.js";

const KEPT_BEHIND_S = 8;
const TRIM_BEYOND_S = 16;
const KEPT_WHEN_FULL_S = 1;
/** Parts that may wait for a buffer that is busy: beyond that the player begins anew. */
const WAITING_AT_MOST = 100;

const Source = globalThis.ManagedMediaSource ?? globalThis.MediaSource;

/** @param {string} mime */
export function canPlay(mime) {
  return Boolean(Source?.isTypeSupported(mime));
}

/** What a type has: tracks of another kind need another MediaSource. @param {string} mime */
export function tracksOf(mime) {
  const codecs = /codecs="([^"]*)"/.exec(mime)?.[1] ?? "";
  const isAudio = (/** @type {string} */ codec) => /^(mp4a|opus|ac-3|ec-3|flac)/i.test(codec.trim());
  const audio = codecs.split(",").filter((codec) => codec && isAudio(codec)).length;
  return `${codecs.split(",").filter(Boolean).length - audio} ${audio}`;
}

/**
 * @typedef {import("./player-wire.js").Take} Take
 * @typedef {{take: Take|null, bytes: Uint8Array<ArrayBuffer>}} Step an init segment, or a part
 */

export class MsePlayer {
  /** @type {MediaSource|null} */ #media = null;
  /** @type {SourceBuffer|null} */ #buffer = null;
  /** @type {Step[]} */ #steps = [];
  /** @type {Take|null} */ #take = null;
  #mime = "";
  #baseMs = 0;
  #url = "";
  #isOver = false;

  /**
   * @param {HTMLVideoElement} video
   * @param {(reason: string) => void} onFail once; nothing plays afterwards
   * @param {() => void} onReady there is something to play
   */
  constructor(video, onFail, onReady) {
    Object.assign(this, { video, onFail, onReady });
    this.edge = new LiveEdge(video);
    this.failed = () => this.#fail(`video: ${video.error?.message ?? video.error?.code}`);
    video.addEventListener("error", this.failed);
  }

  /** Wall time (ms, the server's) of what is shown; `null` before anything is. */
  get shownMs() {
    return this.#baseMs && this.video.readyState > 1 ? this.#baseMs + this.video.currentTime * 1000 : null;
  }

  /** @param {Take} take */
  begin(take) {
    const fits = this.#media && tracksOf(take.mime) === tracksOf(this.#mime) && take.wall_start_ms >= this.#baseMs;
    if (!fits) this.#attach(take);
    this.#take = take;
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  init(bytes) {
    this.#add({ take: this.#take, bytes });
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  part(bytes) {
    this.#add({ take: null, bytes });
    if (this.#steps.length > WAITING_AT_MOST) this.#fail("the buffer does not take what comes");
  }

  detach() {
    this.#isOver = true;
    this.edge.stop();
    this.video.removeEventListener("error", this.failed);
    this.#letGo();
    this.video.removeAttribute("src");
    this.video.load();
  }

  #attach(/** @type {Take} */ take) {
    this.#letGo();
    const media = new Source();
    this.#media = media;
    this.#baseMs = take.wall_start_ms;
    this.#mime = take.mime;
    media.addEventListener("sourceopen", () => this.#open(media), { once: true });
    this.#url = URL.createObjectURL(media);
    this.video.disableRemotePlayback = true; // without it ManagedMediaSource does not open
    this.video.src = this.#url;
    this.edge.begin();
  }

  #letGo() {
    this.#steps = [];
    this.#buffer = null;
    this.#media = null;
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = "";
  }

  #open(/** @type {MediaSource} */ media) {
    if (media !== this.#media) return;
    try {
      this.#buffer = media.addSourceBuffer(this.#mime);
    } catch (error) {
      this.#fail(`no buffer: ${error}`);
      return;
    }
    const buffer = this.#buffer;
    buffer.mode = "segments";
    buffer.addEventListener("updateend", () => buffer === this.#buffer && this.#appended());
    buffer.addEventListener("error", () => buffer === this.#buffer && this.#fail("a part that cannot be read"));
    this.#work();
  }

  #add(/** @type {Step} */ step) {
    this.#steps.push(step);
    this.#work();
  }

  #appended() {
    if (this.edge.follow()) this.onReady();
    this.#work();
  }

  /** One step at a time: the buffer says when it is ready for the next. */
  #work() {
    const buffer = this.#buffer;
    if (!buffer || buffer.updating || this.#isOver || this.#media?.readyState !== "open") return;
    if (this.#trim(buffer, KEPT_BEHIND_S, TRIM_BEYOND_S) || !this.#steps.length) return;
    const step = /** @type {Step} */ (this.#steps.shift());
    try {
      if (step.take) this.#place(buffer, step.take);
      buffer.appendBuffer(step.take ? step.bytes : this.#withNext(step.bytes));
    } catch (error) {
      this.#refused(buffer, step, /** @type {Error} */ (error));
    }
  }

  /** Another take, or rendition: where on the timeline, and how it is encoded. */
  #place(/** @type {SourceBuffer} */ buffer, /** @type {Take} */ take) {
    buffer.abort();
    if (take.mime !== this.#mime) buffer.changeType(take.mime);
    this.#mime = take.mime;
    buffer.timestampOffset = (take.wall_start_ms - this.#baseMs) / 1000;
  }

  /** All parts that wait, as one: appending costs the same for ten. */
  #withNext(/** @type {Uint8Array<ArrayBuffer>} */ first) {
    const parts = [first];
    while (this.#steps.length && !this.#steps[0]?.take) parts.push(/** @type {Step} */ (this.#steps.shift()).bytes);
    if (parts.length === 1) return first;
    const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  #refused(/** @type {SourceBuffer} */ buffer, /** @type {Step} */ step, /** @type {Error} */ error) {
    const isFull = error.name === "QuotaExceededError";
    if (!isFull || !this.#trim(buffer, KEPT_WHEN_FULL_S, KEPT_WHEN_FULL_S)) this.#fail(String(error));
    else this.#steps.unshift(step);
  }

  /** Forget what lies far behind what is shown; whether the buffer is busy with that now. */
  #trim(/** @type {SourceBuffer} */ buffer, /** @type {number} */ keptS, /** @type {number} */ beyondS) {
    const { buffered } = buffer;
    const at = this.video.currentTime;
    if (!buffered.length || buffered.start(0) >= at - beyondS) return false;
    buffer.remove(0, at - keptS);
    return true;
  }

  #fail(/** @type {string} */ reason) {
    if (this.#isOver) return;
    this.detach();
    this.onFail(reason);
  }
}
