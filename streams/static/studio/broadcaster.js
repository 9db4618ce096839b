// From a camera to the server: takes that follow each other without a gap, as good as the uplink.

import { BUSY, TAKEN_OVER } from "./ingest-link.js";
import { pictureOf } from "./picture.js";
import { NewestFirst } from "./room.js";
import { TakeLine } from "./take-line.js";
import { Take } from "./take.js";
import { bitsOf, Pace, QUALITIES, SOUND_ONLY, UplinkMeter } from "./uplink.js";

// A show that ends waits so long for its last seconds; what is left then is sent after the end.
const SOON_MS = 3_000;
const SEALED_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 250;
// More of an earlier take than that goes beside a new one, and not before it.
const WORTH_KEEPING_MS = 1_500;
// The show goes on without this phone, but what it has kept may still be sent.
const OVER = new Set([TAKEN_OVER, BUSY, "show_ended", "stopped"]);
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
  #meter = new UplinkMeter();
  #line;
  #preview;
  #stream = null;
  #take = null;
  #pace = new Pace();
  #newestFirst = new NewestFirst();
  #looking = 0;
  #run = 0;
  #changing = Promise.resolve();
  #takesOver = false;

  /** `preview` is the video element that shows the camera. */
  constructor(url, preview) {
    super();
    this.#preview = preview;
    this.#line = new TakeLine(url, this.#meter);
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

  /** Seconds of what is filmed now that viewers do not have yet. */
  get waitingSeconds() {
    return Math.round(this.#line.waitingMs / 1000);
  }

  /** Seconds that are sent beside it, for the recording alone; 0 only where there are none. */
  get keptSeconds() {
    return this.#line.isSending ? Math.max(1, Math.round(this.#line.keptMs / 1000)) : 0;
  }

  /** Seconds for which there was no room here, or on the server any more. */
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
    this.#run += 1;
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

  /** Stop filming; resolves to whether everything arrived soon. The rest is sent beside. */
  async stop() {
    if (!this.isOnAir) return !this.#line.isSending;
    this.#set("finishing");
    await this.#changing;
    await this.pause();
    if (await this.#isEmptySoon()) return true;
    this.#line.setAside();
    this.#tell();
    return false;
  }

  /** Settles when all of it is sent, or given up. */
  rest() {
    return this.#line.empty();
  }

  /** What was not sent yet is not sent any more. */
  giveUp() {
    this.#line.giveUp({ all: true });
  }

  close() {
    this.#stopLooking();
    this.#line.close();
    this.#set("idle");
  }

  // Where all is sent, the server may take a while to make segments of it.
  async #isEmptySoon() {
    const emptied = this.#line.empty().then(() => true);
    if (await Promise.race([emptied, later(SOON_MS, false)])) return true;
    if (this.#line.waitingBytes || this.#line.isSending) return false;
    return Promise.race([emptied, later(SEALED_WITHIN_MS, false)]);
  }

  /** Begin a take and end the one before in the same breath, so that no picture is missing. */
  #renew(how = {}) {
    this.#changing = this.#changing.then(() => this.#change(how));
    return this.#changing;
  }

  /** With `isNewest`, what is filmed from here on is sent before what waits. */
  async #change({ isNewest = false }) {
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
    const isBehind = this.#line.isReady && this.#line.waitingMs > WORTH_KEEPING_MS;
    this.#line.add(take, { takesOver: this.#takesOver, isNewest: isNewest || isBehind });
    this.#takesOver = false;
  }

  #look() {
    const nowMs = performance.now();
    const uplink = {
      nowMs,
      isConnected: this.#line.isReady,
      waitingMs: this.#line.waitingMs,
      waitingBytes: this.#line.waitingBytes,
      bitsPerSecond: this.#meter.bitsPerSecond(nowMs),
      silentMs: this.#meter.silentMs(nowMs),
      isSending: this.#line.isSending,
      bits: bitsOf(QUALITIES[this.quality]),
    };
    const quality = this.#pace.look(uplink);
    const isBehind = this.#newestFirst.look(uplink);
    if (this.#take && isBehind) this.#beginWithNow(uplink);
    else if (this.#take && !this.isPictureGone && quality !== this.quality) this.#renew();
    this.#line.flushKept();
    this.#tell();
  }

  #beginWithNow(uplink) {
    this.#pace.restart(uplink);
    this.#renew({ isNewest: true });
  }

  #stopLooking() {
    clearInterval(this.#looking);
  }

  #recorded(take) {
    this.#line.flush(take);
    if (this.#line.keptBytes && this.#isFull) this.#line.giveUp();
    // A hole in the middle would make the take unreadable: stop while it is whole.
    const isRecording = ["connecting", "live", "waiting"].includes(this.state);
    if (isRecording && (this.#isFull || this.#line.waitingMs >= KEEPS_MS)) this.#overflow();
  }

  get #isFull() {
    return this.#line.waitingBytes + this.#line.keptBytes >= KEEPS_BYTES;
  }

  async #overflow() {
    this.#set("full");
    await this.#changing;
    await this.pause();
    if (this.state === "full" && this.#line.isReady) this.#goOn();
  }

  /** There was no room for more; the network is back. */
  #goOn() {
    this.#set("live");
    this.#renew({ isNewest: true });
  }

  #acknowledged(bytes) {
    this.#meter.add(bytes, performance.now());
  }

  #connected() {
    this.problem = null;
    if (this.state === "connecting" || this.state === "waiting") this.#set("live");
    else if (this.state === "full" && !this.#take) this.#goOn();
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
    const run = this.#run;
    this.problem = problem;
    this.#set("moved");
    await this.pause();
    // The other phone waits for the last seconds; for more than that it need not.
    if (this.#line.waitingMs > WORTH_KEEPING_MS) this.#line.setAside();
    await this.#line.empty();
    if (run === this.#run) this.#stop("moved", problem);
  }

  #refused(problem) {
    const state = problem.code === TAKEN_OVER || (problem.code === BUSY && problem.wasWelcome) ? "moved" : "refused";
    if (OVER.has(problem.code) && (problem.wasWelcome || this.#line.isSending)) this.#sendRest(state, problem);
    else this.#stop(state, problem);
  }

  async #sendRest(state, problem) {
    const run = this.#run;
    this.problem = problem;
    if (this.state !== "finishing") this.#set(state);
    await this.pause();
    this.#line.setAside();
    this.#tell();
    await this.#line.empty();
    if (run === this.#run && this.state === state) this.#stop(state, problem);
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
