// How fast the way to the server is, by what it acknowledges, and which picture that carries.

const WINDOW_MS = 4_000;
const SHORTEST_MS = 250;

/** Bits a second over the last seconds, from what was acknowledged and when. */
export class UplinkMeter {
  #received = [];

  add(bytes, nowMs) {
    if (bytes > 0) this.#received.push({ bytes, nowMs });
  }

  bitsPerSecond(nowMs) {
    this.#received = this.#received.filter((one) => one.nowMs > nowMs - WINDOW_MS);
    // Counted from the first of them, whose own time is not known: a network that has just come
    // back would look weak by the seconds in which it was away.
    const [first, ...rest] = this.#received;
    const bytes = rest.reduce((sum, one) => sum + one.bytes, 0);
    return bytes ? (bytes * 8 * 1000) / Math.max(SHORTEST_MS, nowMs - first.nowMs) : 0;
  }

  /** For how long nothing was acknowledged, up to the window's length. */
  silentMs(nowMs) {
    return Math.min(WINDOW_MS, nowMs - (this.#received.at(-1)?.nowMs ?? -Infinity));
  }
}

/** The qualities of a picture, the best first; `lines` is its shorter side, bits are a second's. */
export const QUALITIES = [
  { name: "full", lines: Infinity, frameRate: 30, videoBits: 1_200_000, audioBits: 96_000 },
  { name: "reduced", lines: 360, frameRate: 20, videoBits: 560_000, audioBits: 64_000 },
  { name: "small", lines: 270, frameRate: 15, videoBits: 240_000, audioBits: 48_000 },
  // A still picture, renewed so that players have something to show: about 10 kbit/s of it.
  { name: "sound", lines: 180, frameRate: 5, videoBits: 15_000, audioBits: 32_000 },
];
export const SOUND_ONLY = QUALITIES.length - 1;

// An uplink that is full to the brim is late with everything.
const ROOM = 1.3;
// While something that was kept is sent beside it, a better picture must leave it more.
const ROOM_BESIDE = 1.6;

/** What a quality takes, in bits a second. */
export function bitsOf({ videoBits, audioBits }) {
  return videoBits + audioBits;
}

/** The best quality that so many bits a second carry with some room; sound where none does. */
export function qualityFor(bitsPerSecond) {
  const found = QUALITIES.findIndex((one) => bitsOf(one) * ROOM <= bitsPerSecond);
  return found < 0 ? SOUND_ONLY : found;
}

const SLOW_MS = 2_000;
const SLOW_FOR_MS = 2_500;
// Half of what is recorded or less: each second of looking on is one more that viewers wait.
const VERY_SLOW_FOR_MS = 800;
const CLEAR_MS = 700;
const SETTLE_MS = 4_000;
// After a lost connection, until what it carries can be told.
const RETURN_MS = 2_000;
// Nothing at all arrives: the network is away, and a smaller picture would not get through either.
const STALLED_MS = 1_500;
const UP_AFTER_MS = 10_000;
const LONGEST_UP_AFTER_MS = 160_000;
const PROVEN_MS = 60_000;

/**
 * Decides on the quality: quickly down, slowly up, and more slowly after each try that failed, so
 * that a network between two qualities does not make the picture jump.
 */
export class Pace {
  quality;
  #slowMs = 0;
  #clearMs = 0;
  #settledAt = -Infinity;
  #wentUpAt = -Infinity;
  #upAfterMs = UP_AFTER_MS;
  #lookedAt = null;

  constructor(quality = 0) {
    this.quality = quality;
  }

  /**
   * Look at the uplink, several times a second. `waitingMs` of recording is not acknowledged yet,
   * `bitsPerSecond` were of late, the last one `silentMs` ago, and `isSending` says that there is
   * something to be sent beside it. Returns the quality to record with.
   */
  look({ nowMs, isConnected, waitingMs, bitsPerSecond, silentMs, isSending = false }) {
    const passedMs = nowMs - (this.#lookedAt ?? nowMs);
    this.#lookedAt = nowMs;
    if (!isConnected) this.#wait(nowMs);
    else if (waitingMs > CLEAR_MS && silentMs > STALLED_MS) this.#clearMs = 0;
    else this.#count(passedMs, waitingMs, bitsPerSecond);
    if (nowMs >= this.#settledAt) this.#decide(nowMs, bitsPerSecond, isSending);
    return this.quality;
  }

  /** The recorder begins anew, because so much waits: at once with what the line was seen to carry. */
  restart({ nowMs, bitsPerSecond }) {
    const isVeryWeak = bitsPerSecond < bitsOf(QUALITIES[this.quality]) / 2;
    this.#change(nowMs, isVeryWeak ? Math.max(this.quality, qualityFor(bitsPerSecond)) : this.quality);
    return this.quality;
  }

  #wait(nowMs) {
    this.#slowMs = this.#clearMs = 0;
    this.#settledAt = Math.max(this.#settledAt, nowMs + RETURN_MS);
  }

  #count(passedMs, waitingMs, bitsPerSecond) {
    // A backlog that shrinks quickly is the network coming back, and no weak network.
    const isSlow = waitingMs > SLOW_MS && bitsPerSecond < bitsOf(QUALITIES[this.quality]) * ROOM;
    this.#slowMs = isSlow ? this.#slowMs + passedMs : 0;
    this.#clearMs = waitingMs < CLEAR_MS ? this.#clearMs + passedMs : 0;
  }

  #decide(nowMs, bitsPerSecond, isSending) {
    const isVerySlow = bitsPerSecond < bitsOf(QUALITIES[this.quality]) / 2;
    const enoughMs = isVerySlow ? VERY_SLOW_FOR_MS : SLOW_FOR_MS;
    if (this.#slowMs >= enoughMs && this.quality < SOUND_ONLY) {
      this.#down(nowMs, bitsPerSecond);
    } else if (this.#clearMs >= this.#upAfterMs && this.quality > 0 && this.#hasRoom(bitsPerSecond, isSending)) {
      this.#change(nowMs, this.quality - 1);
      this.#wentUpAt = nowMs;
    }
  }

  // What is sent beside the picture fills the line: so it shows what that carries.
  #hasRoom(bitsPerSecond, isSending) {
    return !isSending || bitsPerSecond >= bitsOf(QUALITIES[this.quality - 1]) * ROOM_BESIDE;
  }

  #down(nowMs, bitsPerSecond) {
    const isFailedTry = nowMs - this.#wentUpAt < PROVEN_MS;
    const longer = Math.min(this.#upAfterMs * 2, LONGEST_UP_AFTER_MS);
    this.#upAfterMs = isFailedTry ? longer : UP_AFTER_MS;
    this.#change(nowMs, Math.max(this.quality + 1, qualityFor(bitsPerSecond)));
  }

  #change(nowMs, quality) {
    this.quality = quality;
    this.#slowMs = this.#clearMs = 0;
    this.#settledAt = nowMs + SETTLE_MS;
  }
}
