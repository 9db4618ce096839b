/** A show's log against the seconds of its recording. Pure: no DOM, no video. */

import { wasBefore } from "./room-state.js";

/** @typedef {{seq: number, id?: string|null, at: string, type: string, data: any, media_s: number|null}} ReplayEntry */

export class ReplayTrack {
  #index = 0;
  /** @type {string|null} */ pinnedId = null;
  /** @type {Set<string>} the questions that were answered by now */ answered = new Set();

  /** @param {ReplayEntry[]} entries in the order of the log */
  constructor(entries) {
    this.entries = entries // without what was taken away: the server leaves that out
      .filter(({ media_s }) => media_s !== null)
      .sort((a, b) => a.media_s - b.media_s || a.seq - b.seq);
    // What was pinned before the first picture is pinned at second 0.
    const early = entries.filter(({ type, media_s }) => type.startsWith("product.") && media_s === null);
    this.pinnedAtStart = early.reduce((pinned, entry) => pinOf(entry, pinned), null);
    this.pinnedId = this.pinnedAtStart;
  }

  /**
   * Go to a second of the recording.
   *
   * @param {number} seconds
   * @returns {{restart: boolean, chat: ReplayEntry[], orders: ReplayEntry[], marks: ReplayEntry[]}}
   *   what happened since the last second asked for; everything from the start if `restart` (one
   *   went back). `marks` say of questions that they were answered, or not after all.
   */
  moveTo(seconds) {
    const restart = this.#index > 0 && this.entries[this.#index - 1].media_s > seconds;
    if (restart) {
      this.#index = 0;
      this.pinnedId = this.pinnedAtStart;
      this.answered = new Set();
    }
    const from = this.#index;
    while (this.#index < this.entries.length && this.entries[this.#index].media_s <= seconds) {
      this.pinnedId = pinOf(this.entries[this.#index++], this.pinnedId);
    }
    const passed = this.entries.slice(from, this.#index);
    const marks = passed.filter(({ type }) => type === "chat.answered" || type === "chat.unanswered");
    for (const { type, data } of marks) this.answered[type === "chat.answered" ? "add" : "delete"](data.id);
    return {
      marks,
      restart,
      chat: passed.filter(({ type }) => type === "chat.message"),
      orders: passed.filter(({ type }) => type === "order.placed"),
    };
  }

  /** It was taken away while one watches. @param {{id?: string|null}} named */
  remove({ id }) {
    const at = this.entries.findIndex((entry) => id && entry.id === id);
    if (at < 0) return;
    this.entries.splice(at, 1);
    if (at < this.#index) this.#index--;
  }

  /**
   * It was brought back while one watches. Nobody says at which second it was: as long after what
   * was before it as it was said after that, and never after what came next. Before the first
   * picture there is no such second.
   *
   * @param {{id: string, seq: number|null, at: string, type: string, data: any}} message
   * @returns {ReplayEntry|null} the entry, if its second has passed already
   */
  restore(message) {
    if (this.entries.some(({ id }) => id === message.id)) return null;
    const next = this.entries.findIndex((entry) => wasBefore(message, entry));
    const place = next < 0 ? this.entries.length : next;
    const before = this.entries[place - 1];
    if (!before) return null;
    const sinceS = (Date.parse(message.at) - Date.parse(before.at)) / 1000;
    const latest = this.entries[place]?.media_s ?? Infinity;
    const entry = { ...message, media_s: Math.min(before.media_s + sinceS, latest) };
    this.entries.splice(place, 0, entry);
    if (place >= this.#index) return null;
    this.#index++;
    return entry;
  }
}

/**
 * The second that a link names, as people write it: `70`, `70s`, `1m10s`, `1:10`, `1h2m3s`.
 *
 * @param {string|null} text @returns {number} 0 where it names none
 */
export function secondOfLink(text) {
  const found = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?$/i.exec(text ?? "") ?? /^(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)$/.exec(text ?? "");
  const [hours, minutes, seconds] = (found ?? []).slice(1).map((part) => Number(part ?? 0));
  return found ? hours * 3600 + minutes * 60 + seconds : 0;
}

/** @param {ReplayEntry} entry @param {string|null} before @returns {string|null} pinned after it */
function pinOf(entry, before) {
  if (entry.type === "product.pinned") return entry.data.offer.id;
  return entry.type === "product.unpinned" ? null : before;
}
