/** What an order would cost, asked of the server whenever something of it has changed. */

import { api } from "../livecommerce/api.js";
import { money } from "../livecommerce/format.js";

const GATHER_MS = 250;
const AGAIN_MS = 3_000;
/** What the sheet says by itself, beside the line or the field that it is about. */
const SAID_ELSEWHERE = /^lines\.|^delivery\.region$/;

export class Quotes {
  /** @type {any} */ #quote = null;
  #asked = "";
  #timer = 0;
  #turn = 0;

  /** @param {import("./order-sheet.js").Shop} shop @param {() => void} onQuote */
  constructor(shop, onQuote) {
    this.shop = shop;
    this.onQuote = onQuote;
  }

  /** @param {any[]} lines @param {{kind: string, region: string}} to */
  ask(lines, { kind, region }) {
    if (!lines.length || lines.some(({ quantity }) => !(quantity > 0 && quantity < 1000))) return;
    const wanted = { show_id: this.shop.showId, lines, delivery_kind: kind, region };
    if (JSON.stringify(wanted) === this.#asked) return;
    this.#asked = JSON.stringify(wanted);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fetch(wanted), GATHER_MS);
  }

  forget() {
    clearTimeout(this.#timer);
    this.#quote = null;
    this.#asked = "";
    this.#turn += 1;
  }

  /** An order was refused and told another fee. @param {number|null} feeMinor */
  setFee(feeMinor) {
    this.#quote = { lines: [], problems: [], ...this.#quote, fee_minor: feeMinor };
  }

  get isKnown() {
    return this.#quote !== null;
  }

  /** @returns {any[]} */
  get lines() {
    return this.#quote?.lines ?? [];
  }

  /** @returns {number|null} null: it depends on where it goes, or it does not go there at all */
  get feeMinor() {
    return this.#quote ? this.#quote.fee_minor : 0;
  }

  /** Why the fee is not known. */
  get feeProblem() {
    return this.notDelivered || gettext("and delivery: please choose the region");
  }

  /** What the server says of a region to which nothing is brought; "" otherwise. */
  get notDelivered() {
    return this.#problems.find(({ code }) => code === "not_delivered")?.message ?? "";
  }

  /** How much is missing to the seller's smallest order, in words for the button; "" if nothing. */
  get tooLittle() {
    const below = this.#problems.find(({ code }) => code === "below_minimum")?.details;
    return below ? interpolate(gettext("%s more to order"), [money(below.min_order_minor - below.goods_minor, below.currency)]) : "";
  }

  /** What stands in the way and belongs to no field. */
  get problem() {
    return this.#problems.find(({ field }) => !SAID_ELSEWHERE.test(field ?? ""))?.message ?? "";
  }

  get #problems() {
    return this.#quote?.problems ?? [];
  }

  async #fetch(wanted) {
    const turn = ++this.#turn;
    try {
      const quote = await api("POST", "/api/v1/orders/quote", wanted);
      if (turn !== this.#turn) return;
      this.#quote = quote;
      this.onQuote();
    } catch (error) {
      if (turn !== this.#turn || error.code !== "network") return;
      this.#timer = setTimeout(() => this.#fetch(wanted), AGAIN_MS);
    }
  }
}
