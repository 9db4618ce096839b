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
 * @property {number} [bought] how many of it whoever looks has ordered already
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
  return Math.min(MOST_PER_LINE, leftOf(good), ownLeft(good));
}

/** What the limit for each buyer still leaves to whoever looks. @param {Good} good */
function ownLeft(good) {
  return good.per_buyer ? Math.max(0, good.per_buyer - (good.bought ?? 0)) : MOST_PER_LINE;
}

/** @param {Good} good @returns {boolean} whether this buyer has as many as one may have */
export function isLimitReached(good) {
  return ownLeft(good) === 0;
}

/** @param {Good} good @param {number} nowMs @returns {string} "12 boxes left", "3 of 20 boxes left", "Sold out", "Over" */
export function stockText(good, nowMs = Date.now()) {
  if (stageOf(good, nowMs) === "closed") return gettext("Over");
  const left = leftOf(good);
  if (left <= 0) return gettext("Sold out");
  if (typeof good.quantity === "number") {
    return interpolate(gettext("%(left)s of %(all)s left"), { left, all: amountText(good.quantity, good.unit) }, true);
  }
  return interpolate(gettext("%s left"), [amountText(left, good.unit)]);
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

/** @param {Good} good @returns {string} "at most 2 boxes each", and what of them one has; or "" */
export function limitText(good) {
  if (!good.per_buyer) return "";
  const { bought = 0, unit } = good;
  const own = amountText(bought, unit);
  if (isLimitReached(good)) return interpolate(gettext("limit reached: you have %s"), [own]);
  const most = amountText(good.per_buyer, unit);
  if (!bought) return interpolate(gettext("at most %s each"), [most]);
  return interpolate(gettext("at most %(most)s each, you have %(own)s"), { most, own }, true);
}

/** @param {number} count @param {string|undefined} unit @returns {string} "3 boxes", as sellers/units.py */
export function amountText(count, unit) {
  return interpolate((AMOUNTS[unit ?? ""] ?? AMOUNTS.piece)(count), [count]);
}

/** @type {Record<string, (count: number) => string>} */
const AMOUNTS = {
  piece: (count) => ngettext("%s piece", "%s pieces", count),
  box: (count) => ngettext("%s box", "%s boxes", count),
  bag: (count) => ngettext("%s bag", "%s bags", count),
  bottle: (count) => ngettext("%s bottle", "%s bottles", count),
  kg: () => gettext("%s kg"),
  jin: () => gettext("%s jin"),
};

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
