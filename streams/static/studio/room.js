// How much may be on its way at once. What is on its way cannot be overtaken by what is newer.

// Enough for a key frame, and gone in three seconds where nothing but sound gets through.
const LEAST_BYTES = 24_000;
const MOST_BYTES = 1_000_000;
const LEAST_MS = 250;
const MOST_MS = 1_500;
const LATE_S = 8;
const KNOWN_S = 60;

/** For the picture of now: what the network carries in two round trips. */
export class SendWindow {
  #meter;
  /** The shortest of each second. */
  #roundTrips = [];

  /** @param {import("./uplink.js").UplinkMeter} meter of all that is acknowledged */
  constructor(meter) {
    this.#meter = meter;
  }

  /** So many bytes were acknowledged `tookMs` after they were sent. */
  acked(_bytes, tookMs, nowMs) {
    const second = Math.floor(nowMs / 1000);
    const last = this.#roundTrips.at(-1);
    if (last?.second === second) last.tookMs = Math.min(last.tookMs, tookMs);
    else this.#roundTrips.push({ second, tookMs });
    if (this.#roundTrips[0].second < second - KNOWN_S) this.#roundTrips.shift();
  }

  hasRoom(onItsWayBytes, nowMs) {
    const forMs = Math.min(MOST_MS, Math.max(LEAST_MS, 2 * shortest(this.#roundTrips.slice(-LATE_S))));
    const bytes = (this.#meter.bitsPerSecond(nowMs) / 8) * (forMs / 1000);
    return onItsWayBytes < Math.min(MOST_BYTES, Math.max(LEAST_BYTES, bytes));
  }

  /** The shortest of the last minute: on a line that is full, those of late waited for each other. */
  get roundTripMs() {
    return shortest(this.#roundTrips);
  }
}

function shortest(roundTrips) {
  return roundTrips.length ? Math.min(...roundTrips.map((one) => one.tookMs)) : 0;
}

/** A frame of what was kept is small: on a weak line it is in the way of the sound of now. */
export const PIECE_BYTES = 4_096;
const MOST_BESIDE_BYTES = 256_000;

/** For what was kept: what the picture of now leaves, found by trying. */
export class Beside {
  #isClear;
  #bytes = PIECE_BYTES;

  /** `isClear()` says whether the picture of now gets through at once. */
  constructor(isClear) {
    this.#isClear = isClear;
  }

  acked(bytes) {
    if (this.#isClear()) this.#bytes = Math.min(MOST_BESIDE_BYTES, this.#bytes + bytes);
  }

  hasRoom(onItsWayBytes) {
    const isClear = this.#isClear();
    if (!isClear) this.#bytes = PIECE_BYTES;
    return isClear && onItsWayBytes < this.#bytes;
  }
}

const BEHIND_MS = 2_500;
const BEHIND_FOR_MS = 400;
const NOTHING_COMES_MS = 1_500;
const AGAIN_AFTER_MS = 6_000;

/** Whether viewers would wait too long for what was kept: then what is filmed now has to go first. */
export class NewestFirst {
  #behindMs = 0;
  #lookedAt = null;
  #at = -Infinity;

  /**
   * Look at the uplink, several times a second: `waitingMs` and `waitingBytes` of recording are not
   * acknowledged, `bits` are recorded and `bitsPerSecond` were acknowledged of late, the last
   * `silentMs` ago.
   */
  look({ nowMs, isConnected, waitingMs, waitingBytes, bitsPerSecond, silentMs, bits }) {
    const passedMs = nowMs - (this.#lookedAt ?? nowMs);
    this.#lookedAt = nowMs;
    // What is filmed meanwhile has to get through as well.
    const left = bitsPerSecond - bits;
    const sentInMs = left > 0 ? (waitingBytes * 8 * 1000) / left : Infinity;
    const isBehind = isConnected && silentMs < NOTHING_COMES_MS && Math.min(waitingMs, sentInMs) > BEHIND_MS;
    this.#behindMs = isBehind ? this.#behindMs + passedMs : 0;
    if (this.#behindMs < BEHIND_FOR_MS || nowMs - this.#at < AGAIN_AFTER_MS) return false;
    this.#behindMs = 0;
    this.#at = nowMs;
    return true;
  }
}
