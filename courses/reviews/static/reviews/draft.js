/** A review while it is written: in this browser with every key, on the server a moment later. */

import { ApiError } from "../livecommerce/api.js";

const SEND_AFTER_MS = 600;
const RETRY_MS = [2_000, 5_000, 15_000, 30_000];
/** Answers after which nothing of this page is taken any more. */
const OVER = new Set(["taken_over", "already_sent", "not_found"]);

/** @typedef {{id: string, at_s: number, text: string}} Comment */
/** @typedef {{words: string, marks: Record<string, number>, comments: Comment[]}} Doc */
/** @typedef {Doc & {version: number, tab: string|null, revision: number}} ServerDraft */
/** @typedef {{tab: string, revision: number, base: number, doc: Doc}} Kept */

/** Two texts as one; nothing of either is lost. @param {string} theirs @param {string} mine */
export function joined(theirs, mine) {
  if (theirs.includes(mine.trim())) return theirs;
  if (mine.includes(theirs.trim())) return mine;
  return `${theirs}\n\n${mine}`;
}

/** @param {Doc} theirs @param {Doc} mine @returns {Doc} with all comments of both */
export function merged(theirs, mine) {
  const comments = new Map(theirs.comments.map((one) => [one.id, one]));
  for (const one of mine.comments) {
    const known = comments.get(one.id);
    comments.set(one.id, known ? { ...one, text: joined(known.text, one.text) } : one);
  }
  const words = joined(theirs.words, mine.words);
  return { words, marks: { ...theirs.marks, ...mine.marks }, comments: [...comments.values()] };
}

/**
 * What to go on with: the server's, and what pages before this one could not send.
 *
 * @param {ServerDraft} server @param {Kept[]} kept @returns {{doc: Doc, isNewer: boolean}}
 */
export function goOnWith(server, kept) {
  let doc = docOf(server);
  let isFirst = true;
  for (const one of kept) {
    // The server's is what that page had before: it is in what was kept, less what was deleted.
    const isAncestor = one.base === server.version || (one.tab === server.tab && server.revision <= one.revision);
    doc = isAncestor && isFirst ? one.doc : merged(doc, one.doc);
    isFirst = false;
  }
  return { doc, isNewer: kept.length > 0 };
}

/** @param {Doc} draft @returns {Doc} */
function docOf({ words, marks, comments }) {
  return { words, marks, comments };
}

/**
 * @typedef {object} Outside
 * @property {string} prefix of this draft's keys in the browser's storage
 * @property {(method: "GET"|"PUT"|"POST", body?: object) => Promise<any>} ask the server; POST sends for good
 * @property {(state: "kept"|"saving"|"saved"|"away"|"refused"|"over", error?: any) => void} onState
 * @property {() => void} onMerged the draft is another one now: draw it anew
 * @property {Storage|null} storage
 */

export class Draft {
  /** @type {number} */ #timer = 0;
  #failures = 0;
  /** @type {Promise<void>|null} */ #sending = null;
  #isDirty = false;
  #isOver = false;

  /** @param {ServerDraft} server @param {Outside} outside */
  constructor(server, outside) {
    this.outside = outside;
    this.tab = randomId();
    this.revision = 0;
    this.base = server.version;
    const found = this.#keptBefore();
    const { doc, isNewer } = goOnWith(server, found.map(({ kept }) => kept));
    this.doc = doc;
    if (!isNewer) return;
    this.changed();
    for (const { key } of found) this.outside.storage?.removeItem(key);
  }

  get key() {
    return `${this.outside.prefix}${this.tab}`;
  }

  /** Something was typed: keep it here at once, and there soon. */
  changed() {
    if (this.#isOver) return this.#keep();
    this.#isDirty = true;
    this.#keep();
    this.outside.onState("kept");
    this.#later(SEND_AFTER_MS);
  }

  /** Send what waits now, e.g. because there is network again. */
  now() {
    if (this.#isDirty && !this.#isOver) this.#later(0);
  }

  /** Send it for good. @param {string} verdict @returns {Promise<any>} the server's answer */
  async finish(verdict) {
    clearTimeout(this.#timer);
    await this.#sending;
    clearTimeout(this.#timer);
    try {
      const answer = await this.outside.ask("POST", { ...this.#body(), verdict });
      this.#isOver = true;
      this.#isDirty = false;
      this.#forget();
      return answer;
    } catch (error) {
      await this.#failed(error);
      throw error;
    }
  }

  #body() {
    this.revision += 1;
    return { tab: this.tab, revision: this.revision, base: this.base, ...this.doc };
  }

  #later(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#send(), ms);
  }

  #send() {
    this.#sending ??= this.#sendOnce().finally(() => (this.#sending = null));
  }

  async #sendOnce() {
    this.outside.onState("saving");
    this.#isDirty = false;
    const body = this.#body();
    this.#keep();
    try {
      const answer = await this.outside.ask("PUT", body);
      this.base = answer.version;
      this.#failures = 0;
      if (this.#isDirty) return this.#later(SEND_AFTER_MS);
      this.#forget();
      this.outside.onState("saved");
    } catch (error) {
      this.#isDirty = true;
      await this.#failed(error);
    }
  }

  async #failed(error) {
    if (!(error instanceof ApiError)) throw error;
    if (OVER.has(error.code)) {
      this.#isOver = true;
      return this.outside.onState("over", error);
    }
    if (error.code === "changed_elsewhere") return this.#mergeTheirs();
    if (error.status >= 400 && error.status < 500 && error.status !== 429) return this.outside.onState("refused", error);
    this.outside.onState("away", error);
    this.#later(RETRY_MS[Math.min(this.#failures++, RETRY_MS.length - 1)]);
  }

  async #mergeTheirs() {
    try {
      const theirs = await this.outside.ask("GET");
      const isOurs = theirs.tab === this.tab;
      this.doc = isOurs ? this.doc : merged(docOf(theirs), this.doc);
      this.base = theirs.version;
    } catch (error) {
      return this.#failed(error);
    }
    this.outside.onMerged();
    this.changed();
  }

  #keep() {
    const kept = { tab: this.tab, revision: this.revision, base: this.base, doc: this.doc };
    try {
      this.outside.storage?.setItem(this.key, JSON.stringify(kept));
    } catch {
      return; // full or forbidden: the server has it in a moment
    }
  }

  #forget() {
    this.outside.storage?.removeItem(this.key);
  }

  /** @returns {{key: string, kept: Kept}[]} */
  #keptBefore() {
    const { storage, prefix } = this.outside;
    if (!storage) return [];
    const keys = [...Array(storage.length).keys()].map((place) => storage.key(place) ?? "");
    return keys.filter((key) => key.startsWith(prefix)).flatMap((key) => {
      const kept = readKept(storage.getItem(key));
      return kept ? [{ key, kept }] : [];
    });
  }
}

/** @param {string|null} text @returns {Kept|null} */
function readKept(text) {
  try {
    const kept = JSON.parse(text ?? "null");
    return Array.isArray(kept?.doc?.comments) ? kept : null;
  } catch {
    return null;
  }
}

/** Where the page came by plain http, browsers have no `randomUUID`. @returns {string} */
export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** @returns {Storage|null} the browser's, where it lets pages have one */
export function browserStorage() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}
