/** The captions that are being written: each change is one step that can be taken back. */

import { cue, momentAt } from "./words.js";

/** @typedef {import("./words.js").Cue} Cue */

const MOST_STEPS = 200;
export const SHORTEST_MS = 200;
const NEW_MS = 2000;

export class Cues {
  /** @type {Cue[]} */ list = [];
  /** @type {Cue[][]} */ #done = [];
  /** @type {Cue[][]} */ #undone = [];
  /** @type {Cue[]} as the server has them */ #saved = this.list;

  /** @param {number} lengthMs of the video */
  constructor(lengthMs) {
    this.lengthMs = lengthMs;
  }

  /** What the server has. @param {Cue[]} cues */
  open(cues) {
    this.list = this.#saved = cues;
    this.#done = [];
    this.#undone = [];
  }

  /** These were saved, and came back as they are kept. @param {Cue[]} sent @param {Cue[]} kept */
  saved(sent, kept) {
    if (this.list === sent) this.list = kept;
    this.#saved = this.list === kept ? kept : sent;
  }

  get isChanged() {
    return this.list !== this.#saved;
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  undo() {
    this.#step(this.#done, this.#undone);
  }

  redo() {
    this.#step(this.#undone, this.#done);
  }

  #step(from, to) {
    const list = from.pop();
    if (!list) return;
    to.push(this.list);
    this.list = list;
  }

  /** @param {Cue[]} list */
  #change(list) {
    this.#done.push(this.list);
    if (this.#done.length > MOST_STEPS) this.#done.shift();
    this.#undone = [];
    this.list = list;
  }

  /** All of them are others now, as those of a file. @param {Cue[]} list @returns {number} how many begin after the video and are left out */
  replace(list) {
    const kept = list.filter((one) => one.start_ms < this.lengthMs);
    this.#change(kept.map((one) => this.#within(one, this.lengthMs)));
    return list.length - kept.length;
  }

  #within(one, endMs) {
    return one.end_ms <= endMs ? one : cue(one.start_ms, endMs, one.text, one);
  }

  /** @param {number} at @param {string} text @returns {boolean} whether it is another one */
  edit(at, text) {
    const old = this.list[at];
    if (old.text === text) return false;
    this.#change(spliced(this.list, at, 1, cue(old.start_ms, old.end_ms, text, old)));
    return true;
  }

  /** In two, at a place in its text. @param {number} at @param {number} offset @returns {boolean} */
  split(at, offset) {
    const old = this.list[at];
    const first = old.text.slice(0, offset).trimEnd();
    const second = old.text.slice(offset).trimStart();
    const lead = old.text.slice(offset).length - second.length;
    let moment = second ? momentAt(old, offset + lead) : Math.round((old.start_ms + old.end_ms) / 2);
    moment = Math.max(old.start_ms + SHORTEST_MS, Math.min(old.end_ms - SHORTEST_MS, moment));
    if (!first || !second || moment <= old.start_ms || moment >= old.end_ms) return false;
    const before = cue(old.start_ms, moment, first, { ...old, text: first, words_ms: old.words_ms.slice(0, wordCount(first)) });
    const behind = cue(moment, old.end_ms, second, { ...old, text: second, words_ms: old.words_ms.slice(wordCount(first)) });
    this.#change(spliced(this.list, at, 1, before, behind));
    return true;
  }

  /** With the one below. @param {number} at @returns {boolean} */
  merge(at) {
    const one = this.list[at];
    const next = this.list[at + 1];
    if (!next) return false;
    const glue = /[\u3040-\u9fff，。！？、]$/u.test(one.text) ? "" : " ";
    const text = [one.text, next.text].filter(Boolean).join(glue);
    const words = [...one.words_ms, ...next.words_ms];
    this.#change(spliced(this.list, at, 2, cue(one.start_ms, next.end_ms, text, { start_ms: one.start_ms, end_ms: next.end_ms, text, words_ms: words })));
    return true;
  }

  /** @param {number} at */
  remove(at) {
    this.#change(spliced(this.list, at, 1));
  }

  /** Begin or end elsewhere, but not in another one's time. @param {number} at @param {{start_ms?: number, end_ms?: number}} times @returns {boolean} */
  retime(at, { start_ms, end_ms }) {
    const old = this.list[at];
    const lowest = this.list[at - 1]?.end_ms ?? 0;
    const highest = this.list[at + 1]?.start_ms ?? this.lengthMs;
    const start = Math.max(lowest, start_ms ?? old.start_ms);
    const end = Math.min(highest, end_ms ?? old.end_ms);
    if (end - start < SHORTEST_MS || (start === old.start_ms && end === old.end_ms)) return false;
    this.#change(spliced(this.list, at, 1, cue(start, end, old.text, old)));
    return true;
  }

  /** A new one at this moment, where there is room. @param {number} ms @returns {number} its place, or -1 */
  insert(ms) {
    const at = this.list.findIndex((one) => one.end_ms > ms);
    const place = at < 0 ? this.list.length : at;
    const start = Math.max(Math.round(ms), this.list[place - 1]?.end_ms ?? 0);
    const end = Math.min(start + NEW_MS, this.list[place]?.start_ms ?? this.lengthMs);
    if (end - start < SHORTEST_MS) return -1;
    this.#change(spliced(this.list, place, 0, cue(start, end, "")));
    return place;
  }

  /** This one and all below earlier or later. @param {number} at @param {number} byMs @returns {boolean} */
  shift(at, byMs) {
    const lowest = this.list[at - 1]?.end_ms ?? 0;
    const by = Math.max(byMs, lowest - this.list[at].start_ms);
    if (!by) return false;
    const moved = this.list.slice(at).map((one) => ({
      ...one,
      start_ms: one.start_ms + by,
      end_ms: one.end_ms + by,
      words_ms: one.words_ms.map((ms) => ms + by),
    }));
    const kept = moved.filter((one) => one.start_ms + SHORTEST_MS <= this.lengthMs);
    this.#change([...this.list.slice(0, at), ...kept.map((one) => this.#within(one, this.lengthMs))]);
    return true;
  }

  /** Which is shown at this moment, or -1. @param {number} ms */
  at(ms) {
    return this.list.findIndex((one) => one.start_ms <= ms && ms < one.end_ms);
  }
}

function spliced(list, at, count, ...items) {
  return [...list.slice(0, at), ...items, ...list.slice(at + count)];
}

function wordCount(text) {
  return cue(0, 1, text).words_ms.length;
}
