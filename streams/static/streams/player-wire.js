/**
 * The socket of the live picture (docs/live-media.md): connects, comes back by itself, and knows
 * the server's clock.
 */

/**
 * @typedef {{id: string, rendition: string, mime: string, wall_start_ms: number, drift_ms?: number}} Take
 * @typedef {{url: string, every_s: number}} Poster
 */

/**
 * @typedef {object} WireListener
 * @property {(take: Take) => void} onTake its header follows, then its parts from a key frame on
 * @property {(bytes: Uint8Array<ArrayBuffer>) => void} onInit
 * @property {(bytes: Uint8Array<ArrayBuffer>, isKey: boolean, wallMs: number) => void} onPart
 * @property {(why: "off"|"elsewhere"|"down") => void} onOff no picture now; none by this server;
 *   no line
 * @property {() => void} onLate the camera sends what it kept; the picture goes on after that
 * @property {(renditions: string[], poster: Poster|null) => void} onRenditions
 */

const HEAD_BYTES = 9;
const INIT = 0;
const KEY = 1;
/** Closed with one of these it is no use to come back: sign in first, not allowed, no such show. */
const FINAL = new Set([4401, 4403, 4404]);
/** The server says something every 2 s. */
const QUIET_MS = 5_000;
const LOOK_EVERY_MS = 1_000;
const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 30_000;
const PING_EVERY_MS = 5_000;
const FIRST_PINGS = 3;

export class LiveWire {
  /** @type {WebSocket|null} */ #socket = null;
  #attempts = 0;
  #heardAt = 0;
  #pings = 0;
  #pingedAt = 0;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #retryTimer;
  /** @type {ReturnType<typeof setInterval>|undefined} */ #lookTimer;
  clock = new ServerClock();
  /** By how much later what comes was filmed than its place in the take says: the camera's clock. */
  driftMs = 0;
  rendition = "source";

  /** @param {string} path e.g. "/ws/live/<id>/" @param {WireListener} listener */
  constructor(path, listener) {
    this.path = path;
    this.listener = listener;
  }

  start() {
    if (this.#lookTimer) return;
    this.#lookTimer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#connect();
  }

  stop() {
    clearInterval(this.#lookTimer);
    clearTimeout(this.#retryTimer);
    this.#lookTimer = undefined;
    this.#attempts = 0;
    this.#drop();
  }

  /** @param {string} rendition from its next key frame on */
  choose(rendition) {
    if (rendition === this.rendition) return;
    this.rendition = rendition;
    this.#say({ rendition });
  }

  /** Come back where the picture is now, as after a fault of the player's. */
  again() {
    this.#drop();
    clearTimeout(this.#retryTimer);
    if (this.#lookTimer) this.#connect();
  }

  #connect() {
    const url = new URL(this.path, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    url.searchParams.set("rendition", this.rendition);
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    socket.onmessage = (message) => this.#hear(message.data);
    socket.onclose = (event) => this.#closed(event.code);
    this.#socket = socket;
    this.#heardAt = Date.now();
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #closed(/** @type {number} */ code) {
    this.#socket = null;
    this.listener.onOff("down");
    if (FINAL.has(code) || !this.#lookTimer) return;
    const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#attempts++, 10));
    this.#retryTimer = setTimeout(() => this.#connect(), longest * (0.5 + Math.random() / 2));
  }

  #look() {
    const now = Date.now();
    const socket = this.#socket;
    if (!socket) return;
    if (now - this.#heardAt > QUIET_MS) {
      this.#drop();
      this.#closed(0);
    } else if (socket.readyState === WebSocket.OPEN && now - this.#pingedAt > (this.#pings < FIRST_PINGS ? 0 : PING_EVERY_MS)) {
      this.#pings += 1;
      this.#ping();
    }
  }

  #ping() {
    this.#pingedAt = Date.now();
    this.#say({ ping: performance.now() });
  }

  #say(/** @type {object} */ frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #hear(/** @type {string|ArrayBuffer} */ data) {
    this.#heardAt = Date.now();
    if (typeof data === "string") this.#hearText(JSON.parse(data));
    else this.#hearMedia(data);
  }

  #hearMedia(/** @type {ArrayBuffer} */ data) {
    const head = new DataView(data, 0, HEAD_BYTES);
    const payload = new Uint8Array(data, HEAD_BYTES);
    const kind = head.getUint8(0);
    if (kind === INIT) this.listener.onInit(payload);
    else this.listener.onPart(payload, kind === KEY, head.getFloat64(1));
  }

  #hearText(/** @type {any} */ frame) {
    if (frame.hello) this.#welcome(frame.hello);
    else if (frame.take) this.#takeComes(frame.take);
    else if (frame.drift) this.driftMs = frame.drift.ms;
    else if (frame.renditions) this.listener.onRenditions(frame.renditions, frame.poster ?? null);
    else if (frame.off || frame.elsewhere) this.listener.onOff(frame.off ? "off" : "elsewhere");
    else if (frame.late) this.listener.onLate();
    else if (frame.pong !== undefined) this.clock.learn(frame.server_ms, performance.now() - frame.pong);
  }

  #takeComes(/** @type {Take} */ take) {
    this.driftMs = take.drift_ms ?? 0;
    this.listener.onTake(take);
  }

  #welcome(/** @type {any} */ hello) {
    this.#attempts = 0;
    this.#pings = 0;
    this.clock.guess(hello.server_ms);
    this.listener.onRenditions(hello.renditions, hello.poster ?? null);
    this.#ping();
  }
}

/** The server's wall clock: the sample with the shortest round trip of the last ones tells best. */
export class ServerClock {
  /** @type {{offsetMs: number, tripMs: number}[]} */ #samples = [];
  #guessMs = 0;

  get nowMs() {
    return performance.timeOrigin + performance.now() + this.#offsetMs;
  }

  get #offsetMs() {
    if (!this.#samples.length) return this.#guessMs;
    return this.#samples.reduce((best, one) => (one.tripMs < best.tripMs ? one : best)).offsetMs;
  }

  /** Before the first round trip is measured. @param {number} serverMs */
  guess(serverMs) {
    this.#guessMs = serverMs - performance.timeOrigin - performance.now();
  }

  /** @param {number} serverMs in the middle of the round trip @param {number} tripMs */
  learn(serverMs, tripMs) {
    const offsetMs = serverMs + tripMs / 2 - performance.timeOrigin - performance.now();
    this.#samples = [...this.#samples.slice(-7), { offsetMs, tripMs }];
  }
}
