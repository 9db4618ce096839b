// One run of the recorder. Its id is made here, so a connection that comes back continues it.

import { ChunkQueue } from "./chunk-queue.js";
import { QUALITIES } from "./uplink.js";

const TIMESLICE_MS = 100;
const KEY_FRAME_EVERY_MS = 1000;
// What was acknowledged is known by the frame, and a weak line takes a second for this.
const FRAME_BYTES = 8_192;

// H.264 first: the server copies it. VP8 is the last resort, because it has to be encoded again.
const FORMATS = [
  "video/webm;codecs=h264,opus",
  "video/webm;codecs=avc1.42E01F,opus",
  "video/mp4;codecs=avc1.42E01F,mp4a.40.2",
  "video/mp4;codecs=avc1.42E01F,opus",
  "video/mp4",
  "video/webm;codecs=vp8,opus",
  "video/webm",
];

/** The best recording format of this browser, or `null` if it can record none that we can use. */
export function bestFormat() {
  if (typeof MediaRecorder === "undefined") return null;
  return FORMATS.find((format) => MediaRecorder.isTypeSupported(format)) ?? null;
}

export class Take {
  id = crypto.randomUUID();
  queue = new ChunkQueue({ maxFrameBytes: FRAME_BYTES });
  mime = bestFormat();
  /** Settles once the recorder has stopped, by `stop()` or by itself, and the last chunk is in the queue. */
  finished;
  isStopped = false;
  #recorder;
  #arriving = Promise.resolve();
  #startedAt = 0;

  /** Records a picture as `pictureOf` gives it; `onChunk()` is called whenever the queue has grown. */
  constructor({ stream, release }, quality, onChunk) {
    this.onChunk = onChunk;
    const { videoBits, audioBits } = QUALITIES[quality];
    this.#recorder = new MediaRecorder(stream, {
      mimeType: this.mime,
      videoBitsPerSecond: videoBits,
      audioBitsPerSecond: audioBits,
      videoKeyFrameIntervalDuration: KEY_FRAME_EVERY_MS,
    });
    this.#recorder.addEventListener("dataavailable", (event) => this.#take(event));
    this.finished = this.#ends(release);
  }

  /** How long ago its recorder was started. */
  get ageMs() {
    return performance.now() - this.#startedAt;
  }

  start() {
    this.#startedAt = performance.now();
    this.#recorder.start(TIMESLICE_MS);
  }

  /** Stop recording; settles as `finished` does. */
  stop() {
    if (this.#recorder.state !== "inactive") this.#recorder.stop();
    return this.finished;
  }

  async #ends(release) {
    await new Promise((stopped) => this.#recorder.addEventListener("stop", stopped, { once: true }));
    release();
    await this.#arriving;
    this.isStopped = true;
  }

  // A Blob is read asynchronously: reading one after the other keeps them in order.
  #take({ data }) {
    if (data.size === 0) return;
    const offsetMs = performance.now() - this.#startedAt;
    this.#arriving = this.#arriving.then(async () => {
      this.queue.push(new Uint8Array(await data.arrayBuffer()), offsetMs);
      this.onChunk();
    });
  }
}
