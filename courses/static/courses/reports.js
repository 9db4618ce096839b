/**
 * Tells the server what was watched, and keeps it until the server has it.
 *
 * What is told is a batch with an id of its own: the body of one POST to `address(lesson)`, kept in
 * localStorage as `watched:<person>:<lesson>:<batch>` and never changed once it was sent. Whoever
 * sends it (this page, the next one, a worker) may do so again: the server takes it in once. A phone
 * that is shared, loses its network or closes the page loses nothing and mixes up nobody.
 *
 * @typedef {{batch: string, stretches: object[], lasted_s: number|null, position_s: number|null}} Batch
 */

import { api, csrfToken } from "../livecommerce/api.js";
import { counts, merge } from "./watched.js";

/** As `MAX_STRETCHES` in courses/services/watched.py. */
const MAX_STRETCHES = 200;

/** Answers after which telling the same again would never help. */
const HOPELESS = new Set([400, 404, 409, 422]);

export const address = (lesson) => `/api/v1/lessons/${lesson}/watched`;
const prefixOf = (person, lesson) => `watched:${person}:${lesson}:`;

export class Reports {
  /**
   * @param {string} person public id
   * @param {string} lesson public id
   */
  constructor(person, lesson) {
    this.lesson = lesson;
    this.prefix = prefixOf(person, lesson);
    /** @type {Batch[]} */
    this.queue = kept(person, lesson);
    /** @type {Batch|null} what is still added to */
    this.open = null;
    this.openedAt = performance.now();
    this.tellsPosition = null;
    /** @type {Promise<any>|null} */
    this.sending = null;
  }

  /** Everything that will count and that the server has not acknowledged. */
  get waiting() {
    const batches = this.open ? [...this.queue, this.open] : this.queue;
    return merge(batches.flatMap(({ stretches }) => stretches.filter(counts).map(pair)));
  }

  /** @param {import("./watched.js").Played[]} stretches */
  add(stretches) {
    for (const one of stretches) {
      if (this.open?.stretches.length === MAX_STRETCHES) this.seal(null);
      this.open ??= { batch: newId(), stretches: [], lasted_s: 0, position_s: null };
      this.open.stretches.push(one);
    }
    if (!this.open) return;
    // By a clock that nobody sets: the time of day of a phone may be wrong, or be set meanwhile.
    this.open.lasted_s = Math.round(performance.now() - this.openedAt) / 1000;
    keep(this.prefix, this.open);
  }

  /** From here on it is not changed any more. @param {number|null} position */
  seal(position) {
    if (!this.open) return;
    this.open.position_s = position;
    keep(this.prefix, this.open);
    this.queue.push(this.open);
    this.open = null;
    this.openedAt = performance.now();
  }

  /**
   * Tell what waits and where the player is; one report at a time.
   *
   * @param {number|null} position
   * @returns {Promise<any>} the server's last answer, `null` when there was nothing new to tell
   * @throws {ApiError} what could not be told is kept, unless telling it again cannot help
   */
  async send(position) {
    if (this.sending) return this.sending;
    this.sending = this.post(position === null ? null : round(position));
    try {
      return await this.sending;
    } finally {
      this.sending = null;
    }
  }

  async post(position) {
    let answer = null;
    this.seal(position);
    if (!this.queue.length && position !== null && position !== this.tellsPosition) {
      answer = await api("POST", address(this.lesson), { position_s: position });
    }
    while (this.queue.length) answer = await this.postFirst();
    this.tellsPosition = position;
    return answer;
  }

  async postFirst() {
    const [batch] = this.queue;
    try {
      const answer = await api("POST", address(this.lesson), batch);
      this.drop(batch);
      return answer;
    } catch (error) {
      if (HOPELESS.has(error.status)) {
        this.drop(batch);
        this.keepTheRest(batch, error);
      }
      throw error;
    }
  }

  /** One stretch that cannot be must not take the others with it. */
  keepTheRest(batch, error) {
    const wrong = Number(/^stretches\.(\d+)$/.exec(error.errors[0]?.field ?? "")?.[1] ?? -1);
    const rest = batch.stretches.filter((one, number) => number !== wrong);
    if (wrong < 0 || !rest.length) return;
    this.queue.push({ ...batch, batch: newId(), stretches: rest });
    keep(this.prefix, this.queue.at(-1));
  }

  drop(batch) {
    this.queue = this.queue.filter((one) => one !== batch);
    forget(this.prefix, batch);
  }

  /** The page goes away: tell without waiting. What was told stays kept, nobody hears the answer. */
  farewell(position) {
    this.seal(round(position));
    const moved = round(position) === this.tellsPosition ? [] : [{ position_s: round(position) }];
    for (const body of this.queue.length ? this.queue : moved) {
      fetch(address(this.lesson), {
        method: "POST",
        keepalive: true,
        credentials: "same-origin",
        headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
        body: JSON.stringify(body),
      }).catch(() => {});
    }
  }
}

/** Tell what was kept for other lessons of this person, from days without a network. */
export async function sendLeftovers(person, except) {
  const lessons = new Set(keys().filter((key) => key.startsWith(`watched:${person}:`)).map((key) => key.split(":")[2]));
  for (const lesson of lessons) {
    if (lesson !== except) await sendLeftover(person, lesson);
  }
}

async function sendLeftover(person, lesson) {
  try {
    await new Reports(person, lesson).send(null);
  } catch (error) {
    if (error.status === 0) return; // still no network: it stays kept for the next page
    console.warn(`what was watched of ${lesson} was refused: ${error.message}`);
  }
}

/** @returns {Batch[]} of this person and lesson, also as earlier versions kept them */
function kept(person, lesson) {
  const prefix = prefixOf(person, lesson);
  // By their ids, which is by when they were begun: storage has an order of its own.
  const batches = keys().filter((key) => key.startsWith(prefix)).sort().map((key) => read(key)).filter((one) => one?.batch);
  const old = `watched:${person}:${lesson}`;
  const pairs = read(old);
  if (Array.isArray(pairs) && pairs.length) {
    const stretches = merge(pairs).slice(0, MAX_STRETCHES).map(([start, end]) => ({ start_s: start, end_s: end }));
    batches.push({ batch: newId(), stretches, lasted_s: null, position_s: null });
    keep(prefix, batches.at(-1));
    forget(old, { batch: "" });
  }
  return batches;
}

function keys() {
  try {
    return Object.keys(localStorage);
  } catch {
    return []; // storage is turned off
  }
}

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    return null; // somebody else's writing
  }
}

function keep(prefix, batch) {
  try {
    localStorage.setItem(prefix + batch.batch, JSON.stringify(batch));
  } catch {
    // Storage is full or turned off: what waits is then kept as long as the page is open.
  }
}

function forget(prefix, batch) {
  try {
    localStorage.removeItem(prefix + batch.batch);
  } catch {
    // Then there is nothing to forget.
  }
}

let last = 0;

/**
 * A UUID of version 7, which sorts by when it was made; also where the page came without TLS and
 * `randomUUID` is missing. A clock that is wrong puts batches in another order, and does no more.
 */
function newId() {
  last = Math.max(last + 1, Date.now());
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  bytes[0] = (bytes[0] & 15) | 112;
  bytes[2] = (bytes[2] & 63) | 128;
  const hex = last.toString(16).padStart(12, "0") + [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** @param {{start_s: number, end_s: number}} stretch @returns {[number, number]} */
function pair(stretch) {
  return [stretch.start_s, stretch.end_s];
}

function round(seconds) {
  return Math.round(seconds * 1000) / 1000;
}
