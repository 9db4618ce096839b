/**
 * What somebody is about to order, kept in this tab over a reload and a sign-in. One intent has one
 * key until it is answered, so that double taps, reconnections and reloads give one order.
 */

import { recall, remember } from "../livecommerce/store.js";

const MOST_LINES = 20;

/** @typedef {{id: string, typed: string}} Line `typed`: the quantity as it was typed */

export class Basket {
  /** @type {Line[]} */ lines = [];
  /** @type {string} */ key = crypto.randomUUID();
  /** @type {Record<string, string>} what was filled in */ values = {};
  /** The sheet is open. */ isOpen = false;
  /** An order with this key may have arrived. */ isSent = false;
  /** It is more than one thing on its way to the till: closing the sheet keeps it. */ isKept = false;

  /** @param {string} name in this tab */
  constructor(name) {
    this.name = `livecommerce.basket.${name}`;
    Object.assign(this, recall(this.name) ?? {});
    this.lines = (this.lines ?? []).slice(0, MOST_LINES);
  }

  save() {
    const { lines, key, values, isOpen, isSent, isKept } = this;
    remember(this.name, lines.length ? { lines, key, values, isOpen, isSent, isKept } : null);
  }

  /** Put one more in; what is there already becomes one more. @returns {boolean} whether there is room */
  add(/** @type {string} */ id, quantity = 1) {
    const line = this.line(id);
    if (line) line.typed = String((countOf(line.typed) || 0) + quantity);
    else if (this.lines.length >= MOST_LINES) return false;
    else this.lines.push({ id, typed: String(quantity) });
    this.save();
    return true;
  }

  /** @returns {Line|undefined} */
  line(/** @type {string} */ id) {
    return this.lines.find((line) => line.id === id);
  }

  remove(/** @type {string} */ id) {
    this.lines = this.lines.filter((line) => line.id !== id);
    this.save();
  }

  /** How many pieces, of whatever. */
  get pieces() {
    return this.lines.reduce((sum, { typed }) => sum + (countOf(typed) || 0), 0);
  }

  /** It was ordered, or put aside: the next intent has a key of its own. */
  clear() {
    this.lines = [];
    this.isOpen = this.isSent = this.isKept = false;
    this.key = crypto.randomUUID();
    this.save();
  }
}

/** The quantity as it was typed: a whole number from 1 up, or NaN. Nobody's number is changed. */
export function countOf(/** @type {string} */ typed) {
  return /^0*[1-9][0-9]*$/.test(typed.trim()) ? Number(typed) : NaN;
}
