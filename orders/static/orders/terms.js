/** On which terms something is sold at a moment of the server's clock. Pure: no DOM, no network. */

import { countdown } from "../livecommerce/server-clock.js";

export const MOST_PER_LINE = 999;
/** From here on few are left, and it is worth saying so in another colour. */
export const FEW = 5;
const DAY_MS = 86_400_000;

/**
 * @typedef {object} Good an offer of a show, or a variant at its own price
 * @property {string} id
 * @property {string} variant_id
 * @property {string} title
 * @property {number} price_minor
 * @property {string} currency
 * @property {number} available in stock
 * @property {number} left of what the show means to sell
 * @property {number} stock_version
 * @property {string|null} image_url
 * @property {number|null} [quantity] how many the show means to sell
 * @property {number} [sold] how many of these are sold
 * @property {number|null} [per_buyer]
 * @property {number|null} [opens_at_ms]
 * @property {number|null} [closes_at_ms]
 * @property {boolean} [on_tap] it waits for the host
 * @property {number} [version]
 * @property {string} [unit]
 */

/** @typedef {"open"|"soon"|"waits"|"closed"|"sold_out"} Stage */

/** @param {Good} good @param {number} nowMs @returns {Stage} */
export function stageOf(good, nowMs) {
  const { opens_at_ms: opens, closes_at_ms: closes } = good;
  if (typeof closes === "number" && nowMs >= closes) return "closed";
  if (typeof opens === "number" && nowMs < opens) return "soon";
  if (typeof opens !== "number" && good.on_tap) return "waits";
  return leftOf(good) > 0 ? "open" : "sold_out";
}

/** @param {Good} good @returns {number} how many there are for everybody together */
export function leftOf(good) {
  return Math.max(0, Math.min(good.available, good.left ?? good.available));
}

/** @param {Good} good @returns {number} how many one order may have, as far as the page knows */
export function mostOf(good) {
  return Math.min(MOST_PER_LINE, leftOf(good), good.per_buyer ?? MOST_PER_LINE);
}

/** @param {Good} good @param {number} nowMs @returns {string} "12 left", "3 of 20 left", "Sold out", "Over" */
export function stockText(good, nowMs = Date.now()) {
  if (stageOf(good, nowMs) === "closed") return gettext("Over");
  const left = leftOf(good);
  if (left <= 0) return gettext("Sold out");
  if (typeof good.quantity === "number") {
    return interpolate(ngettext("%(left)s of %(all)s left", "%(left)s of %(all)s left", left), { left, all: good.quantity }, true);
  }
  return interpolate(ngettext("%s left", "%s left", left), [left]);
}

/** @param {Good} good @param {number} nowMs @returns {string} when it opens or closes; "" if that is far away */
export function windowText(good, nowMs) {
  const stage = stageOf(good, nowMs);
  if (stage === "waits") return gettext("The host opens this any moment");
  const opensIn = Number(good.opens_at_ms) - nowMs;
  if (stage === "soon") return interpolate(gettext("Opens in %s"), [opensIn < DAY_MS ? countdown(opensIn) : days(opensIn)]);
  const closesIn = Number(good.closes_at_ms) - nowMs;
  if (stage !== "open" || typeof good.closes_at_ms !== "number" || closesIn >= DAY_MS) return "";
  return interpolate(gettext("Only %s more"), [countdown(closesIn)]);
}

function days(ms) {
  const count = Math.ceil(ms / DAY_MS);
  return interpolate(ngettext("%s day", "%s days", count), [count]);
}

/** @param {Good} good @returns {string} "at most 2 each", or "" */
export function limitText(good) {
  return good.per_buyer ? interpolate(gettext("at most %s each"), [good.per_buyer]) : "";
}

/** @param {string|undefined} unit @returns {string} what one is: "box" */
export function unitText(unit) {
  return UNITS[unit ?? ""]?.() ?? "";
}

/** @type {Record<string, () => string>} */
const UNITS = {
  piece: () => pgettext("unit", "piece"),
  box: () => pgettext("unit", "box"),
  bag: () => pgettext("unit", "bag"),
  bottle: () => pgettext("unit", "bottle"),
  kg: () => pgettext("unit", "kg"),
  jin: () => pgettext("unit", "jin"),
};
