// From a camera to the server: takes that follow each other without a gap, as good as the uplink.

import { TAKEN_OVER } from "./ingest-link.js";
import { pictureOf } from "./picture.js";
import { TakeLine } from "./take-line.js";
import { Take } from "./take.js";
import { CatchUp, Pace, SOUND_ONLY, UplinkMeter } from "./uplink.js";

const FINISH_PATIENCE_MS = 20_000;
const LOOK_EVERY_MS = 250;
// What a phone keeps while the network is away: less than the server waits for it, and its memory.
const KEEPS_MS = 30_000;
const KEEPS_BYTES = 24_000_000;

/**
 * States: `idle`, `connecting`, `live`, `waiting` (no network; recording is kept), `full` (so much
 * is kept that recording had to stop until it is sent), `finishing`, `moved` (another phone goes
 * on), `refused`. Events: `change`, with the broadcaster's own properties as the news.
 */
export class Broadcaster extends EventTarget {
  state = "idle";
  /** `{code, message}` of the server: why it refused us, let us go, or has us wait. */
  problem = null;
  /** What the running take records: an index of `QUALITIES`. */
  quality = 0;
  /** Whether the camera itself gives no picture, e.g. during a call. */
  isPictureGone = false;
  #line;
  #preview;
  #stream = null;
  #take = null;
  #pace = new Pace();
  #meter = new UplinkMeter();
  #catchUp = new CatchUp();
  #looking = 0;
  #changing = Promise.resolve();
  #takesOver = false;

  /** `preview` is the video element that shows the camera. */
  constructor(url, preview) {
    super();
    this.#preview = preview;
    this.#line = new TakeLine(url);
    this.#line.addEventListener("ready", () => this.#connected());
    this.#line.addEventListener("lost", ({ detail }) => this.#disconnected(detail));
    this.#line.addEventListener("acknowledged", ({ detail }) => this.#acknowledged(detail.bytes));
    this.#line.addEventListener("leave", ({ detail }) => this.#leave(detail));
    this.#line.addEventListener("dropped", ({ detail }) => this.#dropped(detail));
    this.#line.addEventListener("refused", ({ detail }) => this.#refused(detail));
  }

  get isOnAir() {
    return ["connecting", "live", "waiting", "full", "finishing"].includes(this.state);
  }

  get acknowledgedBytes() {
    return this.#line.acknowledgedBytes;
  }

  get waitingSeconds() {
    return Math.round(this.#line.waitingMs / 1000);
  }

  /** Whether what was recorded while the network was away is being sent; viewers wait for it. */
  get isCatchingUp() {
    return this.#catchUp.isOn;
  }

  /** Seconds that were kept for so long that the server had closed their take. */
  get lostSeconds() {
    return Math.round(this.#line.lostMs / 1000);
  }

  get bitsPerSecond() {
    return this.#meter.bitsPerSecond(performance.now());
  }

  /**
   * Record `stream` and send it, beginning with a `quality` that the uplink was seen to carry;
   * with `takesOver`, in the place of whoever films now. Throws where the browser cannot record.
   */
  async start(stream, { quality = 0, takesOver = false } = {}) {
    this.problem = null;
    this.#stream = stream;
    this.#pace = new Pace(quality);
    this.#takesOver = takesOver;
    this.#set("connecting");
    clearInterval(this.#looking);
    this.#looking = setInterval(() => this.#look(), LOOK_EVERY_MS);
    await this.#renew();
  }

  /** Stop recording what is filmed now, e.g. to open another camera; `resume` goes on. */
  async pause() {
    const take = this.#take;
    this.#take = null;
    await take?.stop();
  }

  /** Go on with another camera or microphone: a recorder cannot change tracks, so a new take. */
  async resume(stream) {
    this.#stream = stream;
    if (["connecting", "live", "waiting"].includes(this.state)) await this.#renew();
  }

  /** The camera gives a picture again, or none any more: then viewers get a still one, and sound. */
  async pictureIs(isThere) {
    if (this.isPictureGone === !isThere) return;
    this.isPictureGone = !isThere;
    await this.turned();
  }

  /** The picture is another than it was, e.g. upright: a recording cannot change its shape. */
  async turned() {
    if (this.#take) await this.#renew();
    this.#tell();
  }

  /** Stop recording and have everything stored; resolves to whether all of it arrived. */
  async finish() {
    if (!this.isOnAir) return true;
    this.#set("finishing");
    const arrived = await Promise.race([this.#sent(), later(FINISH_PATIENCE_MS, false)]);
    this.#stopLooking();
    this.#line.close();
    this.#set("idle");
    return arrived;
  }

  async #sent() {
    const lostMs = this.#line.lostMs;
    await this.#changing;
    await this.pause();
    await this.#line.empty();
    return this.#line.lostMs === lostMs;
  }

  /** Begin a take and end the one before in the same breath, so that no picture is missing. */
  #renew() {
    this.#changing = this.#changing.then(() => this.#change());
    return this.#changing;
  }

  async #change() {
    const quality = this.isPictureGone ? SOUND_ONLY : this.#pace.quality;
    const picture = await pictureOf(this.#stream, this.#preview, quality);
    if (!["connecting", "live", "waiting"].includes(this.state)) {
      picture.release();
      return;
    }
    const [before, take] = [this.#take, new Take(picture, quality, () => this.#recorded(take))];
    take.start();
    before?.stop();
    this.#take = take;
    this.quality = quality;
    this.#line.add(take, { takesOver: this.#takesOver });
    this.#takesOver = false;
  }

  #look() {
    const nowMs = performance.now();
    const quality = this.#pace.look({
      nowMs,
      isConnected: this.#line.isReady,
      waitingMs: this.#line.waitingMs,
      bitsPerSecond: this.#meter.bitsPerSecond(nowMs),
      silentMs: this.#meter.silentMs(nowMs),
    });
    this.#catchUp.look({ nowMs, waitingMs: this.#line.waitingMs });
    if (this.#take && !this.isPictureGone && quality !== this.quality) this.#renew();
    this.#tell();
  }

  #stopLooking() {
    clearInterval(this.#looking);
  }

  #recorded(take) {
    this.#line.flush(take);
    // A hole in the middle would make the take unreadable: stop while it is whole.
    const isFull = this.#line.waitingMs >= KEEPS_MS || this.#line.waitingBytes >= KEEPS_BYTES;
    const isRecording = ["connecting", "live", "waiting"].includes(this.state);
    if (isFull && isRecording) this.#overflow();
  }

  async #overflow() {
    this.#set("full");
    await this.#changing;
    await this.pause();
    await this.#line.empty();
    if (this.state !== "full") return;
    this.#set("connecting");
    await this.#renew();
  }

  #acknowledged(bytes) {
    this.#meter.add(bytes, performance.now());
  }

  #connected() {
    this.problem = null;
    if (this.state === "waiting") this.#catchUp.begin({ nowMs: performance.now(), waitingMs: this.#line.waitingMs });
    if (this.state === "connecting" || this.state === "waiting") this.#set("live");
  }

  #disconnected(problem) {
    this.problem = problem;
    if (this.state === "live" || this.state === "connecting") this.#set("waiting");
  }

  // The server had closed the take. Only one that had been received is worth another: else the
  // next would end like it.
  async #dropped({ take, problem, wasWelcome }) {
    if (take !== this.#take) return;
    await this.pause();
    if (this.state === "finishing") return;
    if (!wasWelcome) this.#refused(problem);
    else if (["live", "waiting"].includes(this.state)) await this.resume(this.#stream);
  }

  async #leave(problem) {
    this.problem = problem;
    this.#set("moved");
    await this.pause();
    // Where the rest does not get through the server lets go of us; either way it is over.
    await this.#line.empty();
    this.#stop("moved", problem);
  }

  #refused(problem) {
    this.#stop(problem.code === TAKEN_OVER ? "moved" : "refused", problem);
  }

  #stop(state, problem) {
    this.#stopLooking();
    this.problem = problem;
    this.#set(state);
    this.pause();
    this.#line.close();
  }

  #set(state) {
    this.state = state;
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new CustomEvent("change"));
  }
}

function later(ms, value) {
  return new Promise((resolve) => setTimeout(resolve, ms, value));
}
