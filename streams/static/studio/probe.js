// A short trial of the way to the server: how fast it is, and what time it is there.

const BLOCK_BYTES = 4_096;
// Enough for 3 Mbit/s over a round trip of 300 ms.
const IN_FLIGHT = 32;
const TRY_FOR_MS = 3_000;
const ANSWER_WITHIN_MS = 6_000;

/** The trial failed; `message` is the server's reason, empty where no answer came. */
export class ProbeFailed extends Error {}

/**
 * Sends up to half a megabyte for up to three seconds. Resolves to `{bitsPerSecond, clockOffMs}`,
 * the latter positive where this device is behind. Rejects with `ProbeFailed`.
 */
export function probe(url) {
  return new Promise((resolve, reject) => new Trial(url, resolve, reject));
}

class Trial {
  #socket;
  #resolve;
  #reject;
  #timer;
  #askedAt = 0;
  #beganAt = 0;
  #maxBytes = 0;
  #sent = 0;
  #got = { bytes: 0, atMs: 0 };
  #clockOffMs = 0;
  #reason = "";

  constructor(url, resolve, reject) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#socket = new WebSocket(url);
    this.#socket.addEventListener("open", () => this.#ask());
    this.#socket.addEventListener("message", ({ data }) => this.#hear(JSON.parse(data)));
    this.#socket.addEventListener("close", () => this.#end());
    this.#timer = setTimeout(() => this.#end(), ANSWER_WITHIN_MS);
  }

  #ask() {
    this.#askedAt = performance.now();
    this.#socket.send(JSON.stringify({ probe: {} }));
  }

  #hear({ probe: begin, got, error }) {
    if (error) this.#reason = error.message;
    else if (begin) this.#begin(begin);
    else if (got) this.#count(got.bytes);
  }

  #begin({ server_ms: serverMs, max_bytes: maxBytes }) {
    this.#beganAt = performance.now();
    const roundTripMs = this.#beganAt - this.#askedAt;
    this.#clockOffMs = serverMs + roundTripMs / 2 - Date.now();
    this.#maxBytes = maxBytes;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end(), TRY_FOR_MS);
    this.#send();
  }

  #send() {
    const upTo = Math.min(this.#maxBytes, this.#got.bytes + IN_FLIGHT * BLOCK_BYTES);
    for (; this.#sent < upTo; this.#sent += BLOCK_BYTES) this.#socket.send(new Uint8Array(BLOCK_BYTES));
  }

  #count(bytes) {
    this.#got = { bytes, atMs: performance.now() };
    this.#send();
  }

  // Whatever comes first: enough was sent, the time is over, or the socket has closed.
  #end() {
    clearTimeout(this.#timer);
    this.#socket.close(1000);
    const { bytes, atMs } = this.#got;
    if (bytes === 0) {
      this.#reject(new ProbeFailed(this.#reason));
      return;
    }
    const bitsPerSecond = (bytes * 8 * 1000) / Math.max(1, atMs - this.#beganAt);
    this.#resolve({ bitsPerSecond, clockOffMs: this.#clockOffMs });
  }
}
