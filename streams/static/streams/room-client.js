/**
 * The room protocol, version 1, from a browser (docs/protocol.md). No dependencies, no DOM.
 *
 * The client keeps its place in the show's log. It comes back by itself after a lost connection,
 * asks for what it missed, and treats a gap between two frames like a lost connection.
 */

/**
 * @typedef {{seq: number, at: string, type: string, data: any}} RoomEvent
 * @typedef {{epoch: string, seq: number}} Position
 * @typedef {{epoch: string, seq: number, recovered: boolean, you: any, snapshot: any}} Hello
 * @typedef {"connecting"|"open"|"lost"|"closed"} ConnectionState
 */

/**
 * @typedef {object} Listener
 * @property {(hello: Hello) => void} onHello the room as it is now; `snapshot` only if not recovered
 * @property {(events: RoomEvent[], thinned: number) => void} onEvents each event once and in order
 * @property {(now: {viewers?: number, likes?: number}) => void} onNow
 * @property {(state: ConnectionState, closeCode: number|null) => void} onState
 */

/** A command that was refused, or that got no answer (`connection_lost`, `timeout`). */
export class CommandError extends Error {
  /** @param {string} code @param {string} message @param {any} [detail] the error as it was sent */
  constructor(code, message, detail = {}) {
    super(message);
    this.name = "CommandError";
    this.code = code;
    this.field = detail.field ?? null;
    this.retryAfter = detail.retry_after ?? null;
    this.details = detail.details ?? {};
  }
}

/** Codes after which coming back is pointless: sign in first, not allowed, no such show. */
const FINAL = new Set([4401, 4403, 4404]);
const TOO_SLOW = 4408;
const TOO_MANY = 4429;
const RESTARTING = 4503;

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 20_000;
const ANSWER_WITHIN_MS = 10_000;
/** A kept command may sit out a reconnection. */
const KEPT_ANSWER_WITHIN_MS = 25_000;
const PING_EVERY_MS = 20_000;

export class RoomClient {
  /** @type {WebSocket|null} */ #socket = null;
  /** @type {Position|null} */ #position = null;
  /** @type {Map<number, Pending>} */ #pending = new Map();
  /** @type {ConnectionState} */ #state = "connecting";
  #nextId = 1;
  #attempts = 0;
  #retryTimer = 0;
  #pingTimer = 0;

  /**
   * @param {string} path e.g. "/ws/shows/<id>/"
   * @param {Listener} listener
   */
  constructor(path, listener) {
    this.path = path;
    this.listener = listener;
  }

  /** @returns {ConnectionState} */
  get state() {
    return this.#state;
  }

  /** Connect and stay connected until `stop()` or a final close. */
  start() {
    addEventListener("online", this.#hurry);
    document.addEventListener("visibilitychange", this.#hurry);
    this.#pingTimer = setInterval(() => this.#ping(), PING_EVERY_MS);
    this.#connect();
  }

  stop() {
    removeEventListener("online", this.#hurry);
    document.removeEventListener("visibilitychange", this.#hurry);
    clearInterval(this.#pingTimer);
    clearTimeout(this.#retryTimer);
    this.#leave();
    this.#setState("closed", null);
  }

  /**
   * Send a command and wait for its answer.
   *
   * @param {string} command e.g. "chat.send"
   * @param {object} [data]
   * @param {{keep?: boolean}} [options] `keep`: sent once more, unchanged, after a reconnection
   * @returns {Promise<any>} what follows "ok"
   * @throws {CommandError}
   */
  send(command, data = {}, { keep = false } = {}) {
    if (!keep && this.#state !== "open") return Promise.reject(lost());
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const pending = new Pending(JSON.stringify({ id, do: command, data }), keep, resolve, reject);
      const within = keep ? KEPT_ANSWER_WITHIN_MS : ANSWER_WITHIN_MS;
      pending.timer = setTimeout(() => this.#timeOut(id), within);
      this.#pending.set(id, pending);
      if (this.#state === "open") this.#write(pending);
    });
  }

  // Connecting

  #connect() {
    clearTimeout(this.#retryTimer);
    this.#setState("connecting", null);
    const socket = new WebSocket(this.#address());
    this.#socket = socket;
    socket.onmessage = (message) => this.#receive(JSON.parse(message.data));
    socket.onclose = (event) => this.#closed(event.code);
  }

  #address() {
    const url = new URL(this.path, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    if (this.#position) {
      url.searchParams.set("epoch", this.#position.epoch);
      url.searchParams.set("seq", String(this.#position.seq));
    }
    return url.href;
  }

  #closed(code) {
    this.#socket = null;
    this.#dropUnkept();
    if (FINAL.has(code)) {
      this.#rejectAll(lost());
      this.#setState("closed", code);
      return;
    }
    this.#setState("lost", code);
    this.#retryTimer = setTimeout(() => this.#connect(), pauseMs(code, this.#attempts++));
  }

  /** Let go of the socket without hearing of it again, and come back where we were. */
  #reconnect() {
    this.#leave();
    this.#closed(TOO_SLOW);
  }

  #leave() {
    if (!this.#socket) return;
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
  }

  /** The network is back, or the person is: do not sit out the pause, and check the line. */
  #hurry = () => {
    if (document.visibilityState === "hidden") return;
    if (this.#state === "lost") this.#connect();
    else this.#ping();
  };

  async #ping() {
    if (this.#state !== "open") return;
    const socket = this.#socket;
    try {
      await this.send("ping");
    } catch (error) {
      if (error.code === "timeout" && this.#socket === socket) this.#reconnect();
    }
  }

  // Receiving

  #receive(frame) {
    if (frame.hello) this.#welcome(frame.hello);
    else if (frame.events) this.#advance(frame);
    else if (frame.now) this.listener.onNow(frame.now);
    else if (frame.id !== undefined && frame.id !== null) this.#answer(frame);
  }

  #welcome(hello) {
    this.#attempts = 0;
    if (!hello.recovered || !this.#position) this.#position = { epoch: hello.epoch, seq: hello.seq };
    this.#setState("open", null);
    this.listener.onHello(hello);
    for (const pending of this.#pending.values()) this.#write(pending);
  }

  #advance(frame) {
    const position = this.#position;
    if (!position || frame.to <= position.seq) return;
    if (frame.from > position.seq + 1) {
      this.#reconnect();
      return;
    }
    const fresh = frame.events.filter((event) => event.seq > position.seq);
    position.seq = frame.to;
    this.listener.onEvents(fresh, frame.thinned ?? 0);
  }

  #answer(frame) {
    const pending = this.#take(frame.id);
    if (!pending) return;
    if (frame.error) pending.reject(new CommandError(frame.error.code, frame.error.message, frame.error));
    else pending.resolve(frame.ok);
  }

  // Commands under way

  #write(pending) {
    this.#socket?.send(pending.text);
    pending.timesSent += 1;
  }

  #take(id) {
    const pending = this.#pending.get(id);
    if (!pending) return null;
    clearTimeout(pending.timer);
    this.#pending.delete(id);
    return pending;
  }

  #timeOut(id) {
    const message = gettext("No answer. Please try again.");
    this.#take(id)?.reject(new CommandError("timeout", message));
  }

  /** What is not kept, or was already sent twice, will not be sent again: its sender must know. */
  #dropUnkept() {
    for (const [id, pending] of this.#pending) {
      if (!pending.keep || pending.timesSent > 1) this.#take(id)?.reject(lost());
    }
  }

  #rejectAll(error) {
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(error);
  }

  #setState(state, closeCode) {
    if (state === this.#state && closeCode === null) return;
    this.#state = state;
    this.listener.onState(state, closeCode);
  }
}

class Pending {
  timer = 0;
  timesSent = 0;

  /**
   * @param {string} text the frame, sent again as it is
   * @param {boolean} keep
   * @param {(answer: any) => void} resolve
   * @param {(error: CommandError) => void} reject
   */
  constructor(text, keep, resolve, reject) {
    this.text = text;
    this.keep = keep;
    this.resolve = resolve;
    this.reject = reject;
  }
}

function lost() {
  return new CommandError("connection_lost", gettext("The connection was lost. Please try again."));
}

/**
 * How long to wait before coming back: exponential with full jitter, so that a room that lost its
 * server does not come back as one.
 *
 * @param {number} code why the socket was closed
 * @param {number} attempts failed in a row before this one
 */
function pauseMs(code, attempts) {
  if (code === TOO_SLOW && attempts === 0) return 0;
  const ceiling = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempts, 10));
  const least = code === TOO_MANY ? 5_000 : code === RESTARTING ? 500 : 200;
  return least + Math.random() * ceiling;
}
