// What happens to a camera while it films: a call, a pulled plug, a turned phone, a silent room.

// A picture that is back within a moment was not worth a word; cameras blink when they refocus.
const GONE_AFTER_MS = 700;
const LEVEL_EVERY_MS = 100;
const REMEMBERS_MS = 5_000;

/**
 * Watches one stream and the video element that shows it, until `stop()`.
 * Events: `picture` and `sound` (`detail: {isThere}`) when the device takes one of them away or
 * gives it back, `ended` when the camera is gone for good, `turned` when the picture's shape changes.
 */
export class CameraWatch extends EventTarget {
  #leaving = new AbortController();
  #gone = 0;

  constructor(stream, preview) {
    super();
    const options = { signal: this.#leaving.signal };
    for (const track of stream.getTracks()) {
      track.addEventListener("mute", () => this.#muted(track, false), options);
      track.addEventListener("unmute", () => this.#muted(track, true), options);
      track.addEventListener("ended", () => this.#tell("ended"), options);
    }
    preview.addEventListener("loadeddata", () => this.#watchShape(preview, options), { ...options, once: true });
  }

  stop() {
    this.#leaving.abort();
    clearTimeout(this.#gone);
  }

  #watchShape(preview, options) {
    let size = sizeOf(preview);
    preview.addEventListener("resize", () => {
      const before = size;
      size = sizeOf(preview);
      if (size !== before) this.#tell("turned");
    }, options);
  }

  #muted(track, isThere) {
    if (track.kind === "audio") {
      this.#tell("sound", { isThere });
      return;
    }
    clearTimeout(this.#gone);
    if (isThere) this.#tell("picture", { isThere });
    else this.#gone = setTimeout(() => this.#tell("picture", { isThere }), GONE_AFTER_MS);
  }

  #tell(type, detail) {
    if (!this.#leaving.signal.aborted) this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function sizeOf({ videoWidth, videoHeight }) {
  return `${videoWidth}x${videoHeight}`;
}

/** How loud a stream is, shown in a `<meter>` from 0 to 1 ten times a second. */
export class SoundLevel {
  #context = new AudioContext();
  #analyser = this.#context.createAnalyser();
  #samples = new Float32Array(this.#analyser.fftSize);
  #heard = [];
  #heardMs = 0;
  #timer;

  constructor(stream, meter) {
    if (stream.getAudioTracks().length > 0) {
      this.#context.createMediaStreamSource(stream).connect(this.#analyser);
    }
    this.#timer = setInterval(() => (meter.value = this.#listen()), LEVEL_EVERY_MS);
    // Browsers keep sound work asleep until the first touch.
    addEventListener("pointerdown", this.#wake, { once: true });
  }

  /** From 0 to 1, the loudest of the last seconds. */
  get loudest() {
    return Math.max(0, ...this.#heard);
  }

  /** For how long it has been listening. */
  get heardMs() {
    return this.#heardMs;
  }

  stop() {
    clearInterval(this.#timer);
    removeEventListener("pointerdown", this.#wake);
    this.#context.close();
  }

  #listen() {
    if (this.#context.state !== "running") return 0;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const level = loudness(this.#samples);
    this.#heardMs += LEVEL_EVERY_MS;
    this.#heard = [...this.#heard, level].slice(-REMEMBERS_MS / LEVEL_EVERY_MS);
    return level;
  }

  #wake = () => this.#context.resume();
}

// -60 dB (silence) to 0 dB (as loud as it gets) on a line from 0 to 1.
function loudness(samples) {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  return Math.max(0, Math.min(1, 1 + (10 * Math.log10(power + 1e-9)) / 60));
}
