/**
 * Tells the server what was watched, and keeps it until the server has it.
 *
 * What is not acknowledged stays in localStorage, under the person's own key: a phone that is
 * shared, loses its network or closes the page loses nothing and mixes up nobody. Telling the
 * same stretch twice is harmless, so whatever is in doubt is told again.
 */

import { api, csrfToken } from "../livecommerce/api.js";
import { merge } from "./watched.js";

/** As `MAX_STRETCHES` in courses/services/learning.py. */
const MAX_STRETCHES = 200;

/** Answers after which telling the same again would never help. */
const HOPELESS = new Set([400, 404, 409, 422]);

const address = (lesson) => `/api/v1/lessons/${lesson}/watched`;
const keyOf = (person, lesson) => `watched:${person}:${lesson}`;

export class Reports {
  /**
   * @param {string} person public id
   * @param {string} lesson public id
   */
  constructor(person, lesson) {
    this.lesson = lesson;
    this.key = keyOf(person, lesson);
    this.unsent = kept(this.key);
    /** @type {import("./watched.js").Stretch[]} */
    this.underWay = [];
    this.tellsPosition = null;
    /** @type {Promise<any>|null} */
    this.sending = null;
  }

  /** Everything the server has not acknowledged. */
  get waiting() {
    return merge([...this.underWay, ...this.unsent]);
  }

  /** @param {import("./watched.js").Stretch[]} stretches */
  add(stretches) {
    if (!stretches.length) return;
    this.unsent = merge([...this.unsent, ...stretches]);
    keep(this.key, this.waiting);
  }

  /**
   * Tell what waits and where the player is; one report at a time.
   *
   * @param {number} position
   * @returns {Promise<any>} the server's answer, `null` when there was nothing new to tell
   * @throws {ApiError} what could not be told is kept, unless telling it again cannot help
   */
  async send(position) {
    if (this.sending) return this.sending;
    if (!this.unsent.length && position === this.tellsPosition) return null;
    this.sending = this.post(position);
    try {
      return await this.sending;
    } finally {
      this.sending = null;
    }
  }

  async post(position) {
    this.underWay = this.unsent.slice(0, MAX_STRETCHES);
    this.unsent = this.unsent.slice(MAX_STRETCHES);
    try {
      const answer = await api("POST", address(this.lesson), body(this.underWay, position));
      this.tellsPosition = position;
      return answer;
    } catch (error) {
      if (!HOPELESS.has(error.status)) this.unsent = this.waiting;
      throw error;
    } finally {
      this.underWay = [];
      keep(this.key, this.unsent);
    }
  }

  /** The page goes away: tell without waiting. What was told stays kept, nobody hears the answer. */
  farewell(position) {
    if (!this.waiting.length && position === this.tellsPosition) return;
    fetch(address(this.lesson), {
      method: "POST",
      keepalive: true,
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
      body: JSON.stringify(body(this.waiting.slice(0, MAX_STRETCHES), position)),
    }).catch(() => {});
  }
}

/** Tell what was kept for other lessons of this person, from days without a network. */
export async function sendLeftovers(person, except) {
  const prefix = keyOf(person, "");
  const lessons = Object.keys(localStorage).filter((key) => key.startsWith(prefix));
  for (const lesson of lessons.map((key) => key.slice(prefix.length))) {
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

function body(stretches, position) {
  return { intervals: stretches, position_s: position };
}

/** @returns {import("./watched.js").Stretch[]} */
function kept(key) {
  try {
    return merge(JSON.parse(localStorage.getItem(key) ?? "[]"));
  } catch {
    return []; // somebody else's writing, or storage is turned off
  }
}

function keep(key, stretches) {
  try {
    if (stretches.length) localStorage.setItem(key, JSON.stringify(stretches));
    else localStorage.removeItem(key);
  } catch {
    // Storage is full or turned off: what waits is then kept as long as the page is open.
  }
}
