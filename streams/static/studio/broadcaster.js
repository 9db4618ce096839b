// From a camera stream to the server: takes one after the other, and what to tell the host.

import { IngestLink } from "./ingest-link.js";
import { Take, bestFormat } from "./take.js";

const FINISH_PATIENCE_MS = 20_000;
// The server closed this take (it waited too long, or was restarted) and welcomes a new one.
const TAKE_OVER = "take_sealed";

/**
 * States: `idle`, `connecting`, `live`, `waiting` (no network; recording is kept), `full` (so much
 * is kept that recording had to stop until it is sent), `finishing`, `refused`.
 * Events: `change`, with the broadcaster's own properties as the news; `camera-lost`.
 */
export class Broadcaster extends EventTarget {
  state = "idle";
  /** `{code, message}` of the server when it refused us. */
  problem = null;
  /** Seconds that were kept for so long that the server had closed their take. */
  lostSeconds = 0;
  #url;
  #stream = null;
  #take = null;
  #link = null;
  #earlierBytes = 0;

  constructor(url) {
    super();
    this.#url = url;
  }

  get isOnAir() {
    return ["connecting", "live", "waiting", "full", "finishing"].includes(this.state);
  }

  get acknowledgedBytes() {
    return this.#earlierBytes + (this.#take?.queue.acknowledgedBytes ?? 0);
  }

  get waitingSeconds() {
    return Math.round((this.#take?.queue.waitingMs ?? 0) / 1000);
  }

  /** Record `stream` and send it. Throws where the browser cannot record. */
  start(stream) {
    const format = bestFormat();
    if (!format) throw new Error("this browser cannot record video");
    this.problem = null;
    this.#stream = stream;
    this.#begin(format);
  }

  /** Go on with another camera or microphone: a recorder cannot change tracks, so a new take. */
  async replaceStream(stream) {
    this.#stream = stream;
    if (this.state === "full" || !this.#take) return;
    await this.#finishTake();
    if (this.state !== "refused") this.#begin(bestFormat());
  }

  /** Stop recording and have everything stored; resolves to whether all of it arrived. */
  async finish() {
    if (!this.#take) return true;
    this.#set("finishing");
    const arrived = await Promise.race([this.#finishTake(), later(FINISH_PATIENCE_MS, false)]);
    this.#link?.close();
    this.#set("idle");
    return arrived;
  }

  #begin(format) {
    const take = new Take(this.#stream, format, () => this.#recorded(take));
    this.#take = take;
    this.#set("connecting");
    this.#link = this.#openLink(take);
    take.start();
    take.whenStopped(() => this.#stoppedByItself(take));
  }

  #openLink(take) {
    const link = new IngestLink(this.#url, take);
    link.addEventListener("ready", () => this.#connected());
    link.addEventListener("lost", () => this.#disconnected());
    link.addEventListener("acknowledged", () => this.#tell());
    link.addEventListener("refused", ({ detail }) => this.#refused(detail));
    return link;
  }

  async #finishTake() {
    const [take, link] = [this.#take, this.#link];
    await take.stop();
    const sealed = await link.seal();
    link.close();
    if (this.#take === take) {
      this.#earlierBytes += take.queue.acknowledgedBytes;
      this.#take = null;
    }
    return sealed !== null;
  }

  #recorded(take) {
    this.#link?.flush();
    // A hole in the middle would make the take unreadable: stop while it is whole.
    const isRecording = ["connecting", "live", "waiting"].includes(this.state);
    if (take.queue.isFull && isRecording) this.#overflow();
    else this.#tell();
  }

  async #overflow() {
    this.#set("full");
    await this.#finishTake();
    if (this.state === "full") this.#begin(bestFormat());
  }

  #connected() {
    if (this.state === "connecting" || this.state === "waiting") this.#set("live");
  }

  #disconnected() {
    if (this.state === "live" || this.state === "connecting") this.#set("waiting");
  }

  async #refused(problem) {
    const take = this.#take;
    const goesOn = problem.code === TAKE_OVER && this.state !== "finishing" && this.#gotThrough(take);
    if (goesOn) this.lostSeconds += this.waitingSeconds;
    this.#take = null;
    this.problem = problem;
    this.#set(goesOn ? "connecting" : "refused");
    await take?.stop();
    if (goesOn && this.state === "connecting") this.#begin(bestFormat());
  }

  // Only a take that had been received is worth another: else the next would end like it.
  #gotThrough(take) {
    const bytes = take?.queue.acknowledgedBytes ?? 0;
    this.#earlierBytes += bytes;
    return bytes > 0;
  }

  #stoppedByItself(take) {
    if (this.#take !== take || this.state === "finishing") return;
    this.dispatchEvent(new CustomEvent("camera-lost"));
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
