// One run of the recorder. Its id is made here, so a connection that comes back continues it.

import { ChunkQueue } from "./chunk-queue.js";

const TIMESLICE_MS = 200;
const VIDEO_BITS_PER_SECOND = 1_200_000;
const AUDIO_BITS_PER_SECOND = 96_000;

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
  queue = new ChunkQueue();
  isStopped = false;
  #recorder;
  #arriving = Promise.resolve();
  #startedAt = 0;
  #whenStopped;

  /** Records `stream` as `mime`; `onChunk()` is called whenever the queue has grown. */
  constructor(stream, mime, onChunk) {
    this.mime = mime;
    this.onChunk = onChunk;
    this.#recorder = new MediaRecorder(stream, {
      mimeType: mime,
      videoBitsPerSecond: VIDEO_BITS_PER_SECOND,
      audioBitsPerSecond: AUDIO_BITS_PER_SECOND,
      videoKeyFrameIntervalDuration: 1000,
    });
    this.#recorder.addEventListener("dataavailable", (event) => this.#take(event));
    this.#whenStopped = new Promise((resolve) => {
      this.#recorder.addEventListener("stop", resolve, { once: true });
    });
  }

  start() {
    this.#startedAt = performance.now();
    this.#recorder.start(TIMESLICE_MS);
  }

  /** Stop recording; settles when the last chunk is in the queue. */
  async stop() {
    if (this.#recorder.state !== "inactive") this.#recorder.stop();
    await this.#whenStopped;
    await this.#arriving;
    this.isStopped = true;
  }

  /** Called back when the recorder stops by itself: a camera unplugged, a call coming in. */
  whenStopped(callback) {
    this.#whenStopped.then(callback);
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
