// Carries one take to the server over a WebSocket, through every loss of the network.

import { frameOf } from "./chunk-queue.js";
import { PIECE_BYTES } from "./room.js";

const RETRY_MS = [300, 1000, 2000, 4000];
const SILENCE_MS = 8000;
const WATCH_MS = 1000;
// After these the server would say the same again; 4408, 4503 and lost networks are worth a retry.
const FINAL_CODES = new Set([4400, 4401, 4403, 4404, 4409, 4410, 4412, 4413, 4415]);
// Our own lost connection may still look alive to the server for a while.
const BUSY_CODE = 4409;
const BUSY_PATIENCE_MS = 20_000;
/** The take is closed on the server, or it has lost what we let go: only a new take can go on. */
export const TAKE_SEALED = "take_sealed";
/** Another phone films the show now, because its host said so there. */
export const TAKEN_OVER = "taken_over";
/** Another phone films the show. */
export const BUSY = "already_broadcasting";

/**
 * Events: `ready`; `acknowledged` with `detail: {bytes}`; with `detail: {code, message}` of the
 * server `lost` (`null` where it said nothing), `leave` when another phone takes over and this take
 * is to be stopped and sealed, and `refused`.
 */
export class IngestLink extends EventTarget {
  #socket = null;
  #take;
  #url;
  #isReady = false;
  #wasReady = false;
  #isClosed = false;
  #sentUpTo = 0;
  #failures = 0;
  #problem = null;
  #retryTimer = 0;
  #watchTimer = 0;
  #lastHeard = 0;
  #lostAt = 0;
  #sealed = null;
  #takesOver;
  #room;
  #keeps;
  #sent = [];
  #onItsWay = 0;

  /**
   * `room` says how much may be on its way; `keeps()` which takes of this phone are sent beside what
   * is filmed now, the oldest first, this one perhaps among them. With `takesOver`, in the place of
   * whoever films the show now.
   */
  constructor(url, take, { room, keeps, takesOver = false }) {
    super();
    this.#url = url;
    this.#take = take;
    this.#room = room;
    this.#keeps = keeps;
    this.#takesOver = takesOver;
    this.#watchTimer = setInterval(() => this.#watch(), WATCH_MS);
    addEventListener("online", this.#online);
    this.#connect();
  }

  get isReady() {
    return this.#isReady;
  }

  /** Send what the queue has and the server was not yet sent on this connection, if there is room. */
  flush() {
    if (!this.#isReady) return;
    const nowMs = performance.now();
    let chunk = this.#take.queue.at(this.#sentUpTo);
    while (chunk && this.#room.hasRoom(this.#onItsWay, nowMs)) {
      this.#send(chunk, nowMs);
      chunk = this.#take.queue.at(this.#sentUpTo);
    }
    this.#sealIfDone();
  }

  #send(chunk, nowMs) {
    const { number, payload } = chunk;
    this.#socket.send(frameOf(chunk));
    this.#sent.push({ number, bytes: payload.byteLength, nowMs });
    this.#onItsWay += payload.byteLength;
    this.#sentUpTo = number + 1;
  }

  /** Have the take closed on the server once all of it is there; `{duration_s}`, or null if closed. */
  seal() {
    if (this.#isClosed) return Promise.resolve(null);
    if (!this.#sealed) {
      this.#sealed = deferred();
      this.#sealed.asked = false;
      this.flush();
    }
    return this.#sealed.promise;
  }

  close() {
    this.#isClosed = true;
    this.#isReady = false;
    clearTimeout(this.#retryTimer);
    clearInterval(this.#watchTimer);
    removeEventListener("online", this.#online);
    this.#sealed?.resolve(null);
    this.#socket?.close(1000);
  }

  #connect() {
    this.#problem = null;
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#lastHeard = performance.now();
    socket.addEventListener("open", () => this.#hello(socket));
    socket.addEventListener("message", (event) => this.#hear(socket, JSON.parse(event.data)));
    socket.addEventListener("close", (event) => this.#lost(socket, event.code));
  }

  #hello(socket) {
    const { id, mime, ageMs } = this.#take;
    const keeps = this.#keeps().map((one) => ({ take: one.id, mime: one.mime }));
    const hello = { take: id, mime, key: null, take_over: this.#takesOver, age_ms: ageMs, keeps };
    socket.send(JSON.stringify({ hello }));
  }

  #hear(socket, message) {
    if (socket !== this.#socket) return;
    this.#lastHeard = performance.now();
    if (message.ready) this.#ready(message.ready);
    else if (message.ack) this.#acknowledge(message.ack.next);
    else if (message.sealed) this.#sealed?.resolve(message.sealed);
    else if (message.leave) this.#tell("leave", message.leave);
    else if (message.error) this.#problem = message.error;
  }

  #ready({ next }) {
    if (next < this.#take.queue.firstNumber) {
      this.#refuse({ code: TAKE_SEALED, message: "" });
      return;
    }
    this.#let(next);
    this.#sent = [];
    this.#onItsWay = 0;
    if (this.#keeps().includes(this.#take)) this.#take.queue.recut({ maxFrameBytes: PIECE_BYTES });
    this.#sentUpTo = next;
    this.#isReady = this.#wasReady = true;
    // A connection that was lost is ours again, and may not push away whoever came since.
    this.#takesOver = false;
    this.#failures = 0;
    this.#tell("ready");
    this.flush();
  }

  #acknowledge(next) {
    const nowMs = performance.now();
    while (this.#sent.length && this.#sent[0].number < next) {
      const { bytes, nowMs: sentAt } = this.#sent.shift();
      this.#onItsWay -= bytes;
      this.#room.acked(bytes, nowMs - sentAt, nowMs);
    }
    this.#let(next);
    this.flush();
  }

  #let(next) {
    const { queue } = this.#take;
    const before = queue.acknowledgedBytes;
    queue.acknowledge(next);
    this.#tell("acknowledged", { bytes: queue.acknowledgedBytes - before });
  }

  #sealIfDone() {
    const isDone = this.#take.isStopped && this.#take.queue.isEmpty;
    if (!this.#sealed || this.#sealed.asked || !this.#isReady || !isDone) return;
    this.#sealed.asked = true;
    this.#socket.send(JSON.stringify({ do: "seal" }));
  }

  #lost(socket, code) {
    if (socket !== this.#socket || this.#isClosed) return;
    if (this.#isReady) this.#lostAt = performance.now();
    this.#isReady = false;
    if (this.#sealed) this.#sealed.asked = false;
    if (this.#isFinal(code)) {
      this.#refuse(this.#problem ?? { code: String(code), message: "" });
      return;
    }
    this.#tell("lost", this.#problem);
    const pause = RETRY_MS[Math.min(this.#failures++, RETRY_MS.length - 1)];
    this.#retryTimer = setTimeout(() => this.#connect(), pause);
  }

  #refuse(problem) {
    this.close();
    this.#tell("refused", problem);
  }

  #isFinal(code) {
    const stillOurs =
      code === BUSY_CODE &&
      this.#problem?.code !== TAKEN_OVER &&
      this.#wasReady &&
      performance.now() - this.#lostAt < BUSY_PATIENCE_MS;
    return FINAL_CODES.has(code) && !stillOurs;
  }

  // A phone that changes networks leaves a socket that is open and dead: nobody else tells us.
  #watch() {
    const isWaiting = this.#onItsWay > 0 || !this.#isReady;
    if (!isWaiting) this.#lastHeard = performance.now();
    const isSilent = performance.now() - this.#lastHeard > SILENCE_MS;
    if (isSilent && this.#socket.readyState <= WebSocket.OPEN) this.#abandon();
  }

  #abandon() {
    const dead = this.#socket;
    this.#lost(dead, 1006);
    this.#socket = null;
    dead.close();
  }

  #online = () => {
    if (this.#isReady || this.#isClosed) return;
    clearTimeout(this.#retryTimer);
    const old = this.#socket;
    this.#connect();
    old?.close();
  };

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function deferred() {
  const result = {};
  result.promise = new Promise((resolve) => Object.assign(result, { resolve }));
  return result;
}
