/**
 * The room protocol, version 1 (docs/protocol.md), for a page of the site or a program. One file,
 * no dependencies.
 *
 *     const room = new RoomClient("/ws/shows/<id>/", {
 *       onHello: ({ you, snapshot }) => snapshot && showAll(snapshot),
 *       onEvents: (events) => events.forEach(show),
 *       onNow: ({ viewers }) => showViewers(viewers),
 *       onState: (state) => console.log(state),
 *     });
 *     room.start();
 *     const key = crypto.randomUUID(); // the same for the same message, however often it is sent
 *     const { seq } = await room.send("chat.send", { text: "How heavy is a box?", key }, { keep: true });
 *
 * The client keeps its place in the show's log. It comes back by itself after a lost connection,
 * when the server wants it to, asks for what it missed, and treats a gap between two frames, or a
 * line on which nothing is heard, like a lost connection. It tells each event once.
 */

/**
 * @typedef {{seq: number, at: string, type: string, data: any, id?: string}} RoomEvent
 * @typedef {{epoch: string, seq: number}} Position
 * @typedef {"connecting"|"open"|"lost"|"closed"} ConnectionState
 */

/**
 * @typedef {object} Hello
 * @property {string} epoch
 * @property {number} seq
 * @property {boolean} recovered everything missed follows, and there is no snapshot
 * @property {any} you
 * @property {any} [snapshot] the room as it is now, to begin anew with
 * @property {string} [resume] what to come back with
 * @property {number} retry_within_s
 * @property {number} quiet_s
 */

/**
 * @typedef {object} Listener
 * @property {(hello: Hello) => void} onHello
 * @property {(events: RoomEvent[], thinned: number) => void} onEvents each once and in order
 * @property {(now: {viewers?: number, likes?: number, jobs?: number}) => void} onNow
 * @property {(state: ConnectionState, closeCode: number|null) => void} onState
 */

/**
 * @typedef {object} Options
 * @property {string|null} [ticket] for a program, which has no cookie: `null` watches without an
 *   account. A page leaves it out.
 */

/** A command that was refused, or that got no answer (`connection_lost`, `timeout`). */
export class CommandError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {{field?: string, retry_after?: number, details?: any}} [detail] the error as it was sent
   */
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
const TOO_MANY = 4429;
/** Of our own: nothing was heard, or a part of the log was missing. */
const QUIET = 4000;
const GAP = 4001;

const LOOK_EVERY_MS = 1_000;
const HELLO_WITHIN_MS = 10_000;
/** After the network or the person came back, this long is enough to hear something. */
const HURRIED_QUIET_MS = 4_000;
const HURRY_WITHIN_MS = 1_000;
/** While the server may be back any moment, and later: who pauses longer is not back within 10 s. */
const LONGEST_PAUSES_MS = [3_000, 8_000];
const SOON_ATTEMPTS = 12;
const TOO_MANY_PAUSE_MS = 5_000;
const ANSWER_WITHIN_MS = 10_000;
/** A kept command may sit out a reconnection. */
const KEPT_ANSWER_WITHIN_MS = 30_000;
const IDS_KEPT = 5_000;

export class RoomClient {
  /** @type {WebSocket|null} */ #socket = null;
  /** @type {Position|null} */ #position = null;
  /** @type {Map<number, Pending>} */ #pending = new Map();
  /** @type {ConnectionState} */ #state = "connecting";
  /** @type {Set<string>} */ #shown = new Set();
  /** @type {string|null} */ #token = null;
  /** @type {string|null|undefined} */ #ticket;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #retryTimer;
  /** @type {ReturnType<typeof setInterval>|undefined} */ #lookTimer;
  #retryAt = 0;
  #nextId = 1;
  #attempts = 0;
  #spreadMs = 1_000;
  #quietMs = HELLO_WITHIN_MS;
  #heardAt = 0;
  #lookedAt = 0;

  /**
   * @param {string} address e.g. "/ws/shows/<id>/", or a whole URL
   * @param {Listener} listener
   * @param {Options} [options]
   */
  constructor(address, listener, { ticket } = {}) {
    this.address = address;
    this.listener = listener;
    this.#ticket = ticket;
  }

  /** @returns {ConnectionState} */
  get state() {
    return this.#state;
  }

  /** Connect and stay connected until `stop()` or a final close. */
  start() {
    globalThis.addEventListener?.("online", this.#hurry);
    globalThis.document?.addEventListener("visibilitychange", this.#hurry);
    this.#lookedAt = Date.now();
    this.#lookTimer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#connect();
  }

  stop() {
    globalThis.removeEventListener?.("online", this.#hurry);
    globalThis.document?.removeEventListener("visibilitychange", this.#hurry);
    clearInterval(this.#lookTimer);
    clearTimeout(this.#retryTimer);
    this.#leave();
    this.#rejectAll();
    this.#setState("closed", null);
  }

  /**
   * Send a command and wait for its answer.
   *
   * A kept command that has a `key` is done once, even if its answer is lost and it is sent again.
   *
   * @param {string} command e.g. "chat.send"
   * @param {object} [data]
   * @param {{keep?: boolean}} [options] `keep`: waits for a connection, and is sent once more,
   *   unchanged, if that is lost before the answer
   * @returns {Promise<any>} what follows "ok"
   * @throws {CommandError}
   */
  send(command, data = {}, { keep = false } = {}) {
    if (this.#state === "closed" || (!keep && this.#state !== "open")) return Promise.reject(lost());
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
    this.#heardAt = Date.now();
    this.#quietMs = HELLO_WITHIN_MS;
    const socket = new WebSocket(this.#url());
    this.#socket = socket;
    socket.onopen = () => this.#introduce(socket);
    socket.onmessage = (message) => this.#receive(JSON.parse(message.data));
    socket.onclose = (event) => this.#closed(event.code, event.reason);
  }

  #url() {
    const url = new URL(this.address, globalThis.location?.href);
    url.protocol = url.protocol.replace("http", "ws");
    if (this.#position) {
      url.searchParams.set("epoch", this.#position.epoch);
      url.searchParams.set("seq", String(this.#position.seq));
    }
    if (this.#token) url.searchParams.set("resume", "1");
    return url.href;
  }

  /** A page is known by its cookie; who comes back, and every program, says who it is. */
  #introduce(/** @type {WebSocket} */ socket) {
    /** @type {{resume?: string, ticket?: string|null}} */
    const first = {};
    if (this.#token) first.resume = this.#token;
    if (this.#ticket !== undefined) first.ticket = this.#ticket;
    if (Object.keys(first).length) socket.send(JSON.stringify(first));
    if (this.#ticket) this.#ticket = undefined; // it works once
  }

  #closed(/** @type {number} */ code, reason = "") {
    this.#socket = null;
    this.#dropUnkept();
    if (FINAL.has(code)) {
      this.#rejectAll();
      this.#setState("closed", code);
      return;
    }
    this.#setState("lost", code);
    this.#connectIn(pauseMs(code, reason, this.#attempts++, this.#spreadMs));
  }

  #connectIn(/** @type {number} */ ms) {
    clearTimeout(this.#retryTimer);
    this.#retryAt = Date.now() + ms;
    this.#retryTimer = setTimeout(() => this.#connect(), ms);
  }

  /** Let go of the socket without hearing of it again, and come back where we were. */
  #reconnect(/** @type {number} */ code) {
    this.#leave();
    this.#closed(code);
  }

  #leave() {
    const socket = this.#socket;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    this.#socket = null;
  }

  /**
   * The network is back, or the person is: do not sit out a long pause, and soon doubt the line.
   * A whole town may get its network back at once, so these spread a little too.
   */
  #hurry = () => {
    if (globalThis.document?.visibilityState === "hidden") return;
    const soon = Math.random() * HURRY_WITHIN_MS;
    if (this.#state === "lost" && this.#retryAt - Date.now() > soon) this.#connectIn(soon);
    if (this.#state === "open") {
      this.#heardAt = Math.min(Date.now(), Math.max(this.#heardAt, Date.now() - this.#quietMs + HURRIED_QUIET_MS));
    }
  };

  /** Nothing heard for too long, not even the latest values: the line is dead. */
  #look() {
    const now = Date.now();
    const slept = now - this.#lookedAt > 3 * LOOK_EVERY_MS;
    this.#lookedAt = now;
    if (slept) this.#heardAt = now; // what came meanwhile has not been handed to us yet
    if (this.#socket && now - this.#heardAt > this.#quietMs) this.#reconnect(QUIET);
  }

  // Receiving

  #receive(/** @type {any} */ frame) {
    this.#heardAt = Date.now();
    if (frame.hello) this.#welcome(frame.hello);
    else if (frame.events) this.#advance(frame);
    else if (frame.now) this.listener.onNow(frame.now);
    else if (frame.id !== undefined && frame.id !== null) this.#answer(frame);
  }

  #welcome(/** @type {Hello} */ hello) {
    this.#attempts = 0;
    this.#spreadMs = (hello.retry_within_s ?? 1) * 1000;
    this.#quietMs = (hello.quiet_s ?? 30) * 1000;
    this.#token = hello.resume ?? null;
    this.#position = { epoch: hello.epoch, seq: hello.seq };
    for (const event of [...(hello.snapshot?.chat ?? []), ...(hello.snapshot?.recent_orders ?? [])]) this.#isNew(event);
    this.#setState("open", null);
    this.listener.onHello(hello);
    for (const pending of this.#pending.values()) this.#write(pending);
  }

  #advance(/** @type {{from: number, to: number, events: RoomEvent[], thinned?: number}} */ frame) {
    const position = this.#position;
    if (!position || frame.to <= position.seq) return;
    if (frame.from > position.seq + 1) {
      this.#reconnect(GAP);
      return;
    }
    const fresh = frame.events.filter((event) => event.seq > position.seq && this.#isNew(event));
    position.seq = frame.to;
    this.listener.onEvents(fresh, frame.thinned ?? 0);
  }

  /** A new epoch may tell again what the old one had told. */
  #isNew(/** @type {RoomEvent} */ { id }) {
    if (!id) return true;
    const isNew = !this.#shown.has(id);
    this.#shown.add(id);
    if (this.#shown.size > IDS_KEPT) this.#shown.delete(/** @type {string} */ (this.#shown.values().next().value));
    return isNew;
  }

  #answer(/** @type {{id: number, ok?: any, error?: any}} */ frame) {
    const pending = this.#take(frame.id);
    if (!pending) return;
    if (frame.error) pending.reject(new CommandError(frame.error.code, frame.error.message, frame.error));
    else pending.resolve(frame.ok);
  }

  // Commands under way

  #write(/** @type {Pending} */ pending) {
    this.#socket?.send(pending.text);
    pending.timesSent += 1;
  }

  #take(/** @type {number} */ id) {
    const pending = this.#pending.get(id);
    if (!pending) return null;
    clearTimeout(pending.timer);
    this.#pending.delete(id);
    return pending;
  }

  #timeOut(/** @type {number} */ id) {
    const message = gettext("No answer. Please try again.");
    this.#take(id)?.reject(new CommandError("timeout", message));
  }

  /** What is not kept, or was already sent twice, will not be sent again: its sender must know. */
  #dropUnkept() {
    for (const [id, pending] of this.#pending) {
      if (!pending.keep || pending.timesSent > 1) this.#take(id)?.reject(lost());
    }
  }

  #rejectAll() {
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(lost());
  }

  #setState(/** @type {ConnectionState} */ state, /** @type {number|null} */ closeCode) {
    if (state === this.#state && closeCode === null) return;
    this.#state = state;
    this.listener.onState(state, closeCode);
  }
}

class Pending {
  /** @type {ReturnType<typeof setTimeout>|undefined} */ timer;
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

/** The site's translation, where there is one. @param {string} text */
function gettext(text) {
  const translate = /** @type {any} */ (globalThis).gettext;
  return /** @type {string} */ (translate ? translate(text) : text);
}

/**
 * How long to stay away. The server's word first, since it gave each socket its own; then a place
 * in the spread that it asked for; then longer each time, with full jitter, so that a room that
 * lost its server does not come back as one.
 *
 * @param {number} code why the socket was closed
 * @param {string} reason what the server said about it
 * @param {number} attempts failed in a row before this one
 * @param {number} spreadMs
 */
export function pauseMs(code, reason, attempts, spreadMs) {
  const told = /retry_after=([0-9.]+)/.exec(reason);
  if (told && attempts === 0) return Number(told[1]) * 1000;
  if (code === TOO_MANY) return TOO_MANY_PAUSE_MS * (1 + Math.random());
  if (code === GAP && attempts === 0) return Math.random() * HURRY_WITHIN_MS;
  if (attempts === 0) return Math.random() * spreadMs;
  const patience = LONGEST_PAUSES_MS[attempts > SOON_ATTEMPTS ? 1 : 0] ?? 0;
  const longest = Math.max(patience, spreadMs); // or a large room would knock as a herd
  return Math.random() * Math.min(longest, Math.max(500, spreadMs / 4) * 2 ** Math.min(attempts, 10));
}
