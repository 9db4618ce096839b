// The takes of this phone on their way to the server: what is filmed now, one after the other, each
// whole; and beside that, in the room that it leaves, those that were set aside.

import { IngestLink, TAKE_SEALED } from "./ingest-link.js";
import { Beside, SendWindow } from "./room.js";

// A take that was changed at once may have no whole picture in it; the next one does.
const UNPLAYABLE = new Set(["no_video", "unreadable"]);
// What is on its way longer than a round trip and this waits for a line that is full.
const CLEAR_MS = 350;

/**
 * Events: `ready`, `lost`, `acknowledged` (`detail: {bytes}`), `leave`, `refused` (`detail: {code,
 * message, wasWelcome}`), as of the link that carries what is filmed now; and `dropped` (`detail:
 * {take, wasWelcome}`) for a take that the server had closed while some of it was still here.
 * After `refused`, `close` or `setAside`.
 */
export class TakeLine extends EventTarget {
  isReady = false;
  /** Milliseconds of recording that no take has room for any more, here or on the server. */
  lostMs = 0;
  acknowledgedBytes = 0;
  #url;
  #window;
  #takes = [];
  #link = null;
  #kept = [];
  #keptLink = null;
  #takesOver = false;
  #emptied = [];

  /** @param {import("./uplink.js").UplinkMeter} meter of all that is acknowledged */
  constructor(url, meter) {
    super();
    this.#url = url;
    this.#window = new SendWindow(meter);
  }

  /**
   * With `takesOver`, the first take goes in the place of whoever films the show now; with
   * `isNewest` this one goes first, and what is still here of those before it beside it.
   */
  add(take, { takesOver = false, isNewest = false } = {}) {
    if (isNewest) this.#keep();
    this.#takes.push(take);
    this.#takesOver ||= takesOver;
    if (!this.#link) this.#next();
  }

  /** What is filmed is over: the rest of it is for the recording alone. */
  setAside() {
    this.#keep();
    this.#nextKept();
  }

  #keep() {
    this.#kept.push(...this.#takes.splice(0));
    this.#unlink();
  }

  /** A take has another chunk. */
  flush(take) {
    if (take === this.#takes[0]) this.#link?.flush();
    this.flushKept();
  }

  /** There may be room for what was kept. */
  flushKept() {
    this.#keptLink?.flush();
  }

  /** What waits of what is filmed now, in milliseconds of recording. */
  get waitingMs() {
    return sum(this.#takes, (queue) => queue.waitingMs);
  }

  get waitingBytes() {
    return sum(this.#takes, (queue) => queue.waitingBytes);
  }

  /** What waits beside it. */
  get keptMs() {
    return sum(this.#kept, (queue) => queue.waitingMs);
  }

  get keptBytes() {
    return sum(this.#kept, (queue) => queue.waitingBytes);
  }

  /** Whether a take was set aside and is not whole on the server yet. */
  get isSending() {
    return this.#kept.length > 0;
  }

  /** Give up the oldest take that was set aside, or all: what has come of them is what there is. */
  giveUp({ all = false } = {}) {
    for (const { queue } of all ? this.#kept : this.#kept.slice(0, 1)) {
      this.lostMs += queue.waitingMs;
      queue.giveUp();
    }
    this.flushKept();
  }

  /** Settles once every take has been stopped, sent and sealed, or given up. */
  empty() {
    if (this.#isEmpty) return Promise.resolve();
    return new Promise((resolve) => this.#emptied.push(resolve));
  }

  /** Give up whatever is still here. */
  close() {
    this.#takes = [];
    this.#kept = [];
    this.#unlink();
    this.#unlinkKept();
    this.#tellEmptied();
  }

  get #isEmpty() {
    return this.#takes.length + this.#kept.length === 0;
  }

  /** Whether what is filmed now gets through at once, or nothing is. */
  get #isClear() {
    if (!this.#takes.length) return true;
    return this.isReady && this.waitingMs <= this.#window.roundTripMs + CLEAR_MS;
  }

  #next() {
    const [take] = this.#takes;
    if (!take) {
      this.#nextKept();
      this.#tellEmptied();
      return;
    }
    const keeps = () => this.#kept;
    const link = new IngestLink(this.#url, take, { room: this.#window, keeps, takesOver: this.#takesOver });
    this.#takesOver = false;
    this.#link = link;
    this.#listen(link, take);
    take.finished.then(() => this.#seal(link, take));
  }

  #listen(link, take) {
    link.addEventListener("ready", () => this.#connected(true));
    link.addEventListener("lost", ({ detail }) => this.#connected(false, detail));
    link.addEventListener("acknowledged", ({ detail }) => this.#acknowledged(detail));
    link.addEventListener("leave", ({ detail }) => this.#tell("leave", detail));
    link.addEventListener("refused", ({ detail }) => this.#refused(take, detail));
  }

  async #seal(link, take) {
    const sealed = await link.seal();
    // Closed by us or the server: then it was taken care of there.
    if (!sealed || take !== this.#takes[0]) return;
    this.#forget();
    this.#next();
  }

  #forget() {
    this.#takes.shift();
    this.#unlink();
  }

  #unlink() {
    this.#link?.close();
    this.#link = null;
    this.isReady = false;
  }

  #connected(isReady, problem = null) {
    this.isReady = isReady;
    if (isReady) this.#nextKept();
    this.#tell(isReady ? "ready" : "lost", problem);
  }

  #acknowledged({ bytes }) {
    this.acknowledgedBytes += bytes;
    this.#tell("acknowledged", { bytes });
    this.flushKept();
  }

  #refused(take, problem) {
    if (take !== this.#takes[0]) return;
    const wasWelcome = take.queue.acknowledgedBytes > 0;
    const isShort = UNPLAYABLE.has(problem.code) && this.#takes.length > 1;
    if (problem.code !== TAKE_SEALED && !isShort) {
      this.isReady = false;
      this.#tell("refused", { ...problem, wasWelcome });
      return;
    }
    this.lostMs += take.queue.waitingMs;
    this.#forget();
    this.#tell("dropped", { take, problem, wasWelcome });
    if (!this.#link) this.#next();
  }

  // What was set aside: the oldest first, and none before what is filmed now is on its way.

  #nextKept() {
    const [take] = this.#kept;
    if (!take || this.#keptLink || (this.#takes.length && !this.isReady)) return;
    const room = new Beside(() => this.#isClear);
    const link = new IngestLink(this.#url, take, { room, keeps: () => this.#kept });
    this.#keptLink = link;
    link.addEventListener("acknowledged", ({ detail }) => this.#acknowledged(detail));
    link.addEventListener("refused", () => this.#keptIsDone(link, take));
    take.finished.then(async () => (await link.seal()) && this.#keptIsDone(link, take));
  }

  #keptIsDone(link, take) {
    if (link !== this.#keptLink) return;
    this.lostMs += take.queue.waitingMs;
    this.#kept.shift();
    this.#unlinkKept();
    this.#nextKept();
    this.#tellEmptied();
  }

  #unlinkKept() {
    this.#keptLink?.close();
    this.#keptLink = null;
  }

  #tellEmptied() {
    if (!this.#isEmpty) return;
    for (const resolve of this.#emptied.splice(0)) resolve();
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function sum(takes, amount) {
  return takes.reduce((all, take) => all + amount(take.queue), 0);
}
