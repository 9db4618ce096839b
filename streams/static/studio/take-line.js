// The takes of this phone on their way to the server: one after the other, each whole.

import { IngestLink, TAKE_SEALED } from "./ingest-link.js";

// A take that was changed at once may have no whole picture in it; the next one does.
const UNPLAYABLE = new Set(["no_video", "unreadable"]);

/**
 * Events: `ready`, `lost`, `acknowledged` (`detail: {bytes}`), `leave`, `refused`, as of the link
 * that carries the first take; and `dropped` (`detail: {take, wasWelcome}`) for a take that the
 * server had closed while some of it was still here.
 */
export class TakeLine extends EventTarget {
  isReady = false;
  /** Milliseconds of recording that no take has room for any more on the server. */
  lostMs = 0;
  acknowledgedBytes = 0;
  #url;
  #takes = [];
  #link = null;
  #takesOver = false;
  #emptied = [];

  constructor(url) {
    super();
    this.#url = url;
  }

  /** With `takesOver`, the first take goes in the place of whoever films the show now. */
  add(take, { takesOver = false } = {}) {
    this.#takes.push(take);
    this.#takesOver ||= takesOver;
    if (!this.#link) this.#next();
  }

  /** A take has another chunk. */
  flush(take) {
    if (take === this.#takes[0]) this.#link?.flush();
  }

  get waitingMs() {
    return this.#takes.reduce((sum, take) => sum + take.queue.waitingMs, 0);
  }

  get waitingBytes() {
    return this.#takes.reduce((sum, take) => sum + take.queue.waitingBytes, 0);
  }

  /** Settles once every take has been stopped, sent and sealed, or given up. */
  empty() {
    if (this.#takes.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#emptied.push(resolve));
  }

  /** Give up whatever is still here. */
  close() {
    this.#takes = [];
    this.#unlink();
    this.#tellEmptied();
  }

  #next() {
    const [take] = this.#takes;
    if (!take) {
      this.#tellEmptied();
      return;
    }
    const link = new IngestLink(this.#url, take, { takesOver: this.#takesOver });
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
    this.#tell(isReady ? "ready" : "lost", problem);
  }

  #acknowledged({ bytes }) {
    this.acknowledgedBytes += bytes;
    this.#tell("acknowledged", { bytes });
  }

  #refused(take, problem) {
    if (take !== this.#takes[0]) return;
    const isShort = UNPLAYABLE.has(problem.code) && this.#takes.length > 1;
    if (problem.code !== TAKE_SEALED && !isShort) {
      this.close();
      this.#tell("refused", problem);
      return;
    }
    this.lostMs += take.queue.waitingMs;
    this.#forget();
    this.#tell("dropped", { take, problem, wasWelcome: take.queue.acknowledgedBytes > 0 });
    if (!this.#link) this.#next();
  }

  #tellEmptied() {
    for (const resolve of this.#emptied.splice(0)) resolve();
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
