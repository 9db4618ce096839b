// Recorded chunks that the server has not stored yet, in the order in which they were recorded.

const HEADER_BYTES = 12;

/** The binary frame of the ingest protocol: uint32 number, float64 capture offset in ms, payload. */
export function frameOf({ number, offsetMs, payload }) {
  const frame = new Uint8Array(HEADER_BYTES + payload.byteLength);
  const header = new DataView(frame.buffer);
  header.setUint32(0, number);
  header.setFloat64(4, offsetMs);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

export class ChunkQueue {
  #chunks = [];
  #nextNumber = 0;
  #acknowledgedBytes = 0;
  #waitingBytes = 0;
  #isGivenUp = false;

  /** Chunks are cut so that a frame fits `maxFrameBytes`. */
  constructor({ maxFrameBytes = 900_000 } = {}) {
    this.maxPayloadBytes = maxFrameBytes - HEADER_BYTES;
  }

  /** Take in what the recorder gave, captured `offsetMs` after its start. */
  push(bytes, offsetMs) {
    if (this.#isGivenUp) return;
    for (let from = 0; from < bytes.byteLength; from += this.maxPayloadBytes) {
      const payload = bytes.subarray(from, from + this.maxPayloadBytes);
      this.#chunks.push({ number: this.#nextNumber++, offsetMs, payload });
      this.#waitingBytes += payload.byteLength;
    }
  }

  /** Let go of every chunk below `next`: the server has them on disk. */
  acknowledge(next) {
    while (this.#chunks.length && this.#chunks[0].number < next) {
      const { byteLength } = this.#chunks.shift().payload;
      this.#acknowledgedBytes += byteLength;
      this.#waitingBytes -= byteLength;
    }
  }

  /** Cut what waits, and what comes, anew; only while none of it is on its way. */
  recut({ maxFrameBytes }) {
    this.maxPayloadBytes = maxFrameBytes - HEADER_BYTES;
    const chunks = this.#chunks.splice(0);
    this.#nextNumber = chunks[0]?.number ?? this.#nextNumber;
    this.#waitingBytes = 0;
    for (const { payload, offsetMs } of chunks) this.push(payload, offsetMs);
  }

  /** Forget what waits, and take in nothing any more. */
  giveUp() {
    this.#isGivenUp = true;
    this.#chunks = [];
    this.#waitingBytes = 0;
  }

  from(number) {
    return this.#chunks.filter((chunk) => chunk.number >= number);
  }

  /** The chunk of this number, where it is still here. */
  at(number) {
    return this.#chunks[number - this.firstNumber];
  }

  /** The oldest chunk that is still here, or else the next one to come. */
  get firstNumber() {
    return this.#chunks[0]?.number ?? this.#nextNumber;
  }

  get acknowledgedBytes() {
    return this.#acknowledgedBytes;
  }

  get isEmpty() {
    return this.#chunks.length === 0;
  }

  /** How much recording waits here, in milliseconds. */
  get waitingMs() {
    if (this.isEmpty) return 0;
    return this.#chunks.at(-1).offsetMs - this.#chunks[0].offsetMs;
  }

  get waitingBytes() {
    return this.#waitingBytes;
  }
}
