/**
 * Ordering: a sheet over a show's room or a seller's shop. Several things at once, where they go, and
 * what it comes to; an order carries the prices and the total that were seen.
 */

import { api } from "../livecommerce/api.js";
import { all, one, show } from "../livecommerce/dom.js";
import { money } from "../livecommerce/format.js";
import { Basket, countOf } from "./basket.js";
import { DeliveryForm } from "./sheet-delivery.js";
import { payUrl, showDone } from "./sheet-done.js";
import { NO_ANSWER, SheetErrors, problemText } from "./sheet-errors.js";
import { LineList, otherRow } from "./sheet-lines.js";
import { Quotes } from "./sheet-quote.js";
import { mostOf, stageOf, windowText } from "./terms.js";

/**
 * @typedef {import("./terms.js").Good} Good
 * @typedef {object} Shop
 * @property {string} name of its basket in this tab
 * @property {Record<string, string>} asks {show_id} or {seller_id}: whose checkout it is
 * @property {string|null} showId
 * @property {"offer_id"|"variant_id"} lineId what a line names
 * @property {() => boolean} signedIn
 * @property {() => number} now milliseconds since 1970, by the server's clock
 * @property {(id: string) => Good|undefined} good as it is now
 * @property {() => Good[]} goods
 * @property {(order: any) => Promise<any>} place answers {id, number, state, total_minor, currency, url, held_until_ms}
 * @property {(good: Good) => void} goodChanged the server told a newer price
 * @property {() => void} basketChanged
 * @property {(order: any, lines: any[]) => void} [placed]
 */

export class OrderSheet {
  #checkout = null;
  /** Until the addresses are here, or are known not to come. @type {Promise<void>|null} */ #loading = null;
  #busy = false;
  /** A refusal is shown until something is changed. */ #isRefused = false;
  #notDelivered = "";

  /** @param {Shop} shop */
  constructor(shop) {
    this.shop = shop;
    this.basket = new Basket(shop.name);
    this.dialog = /** @type {HTMLDialogElement} */ (one("#order-sheet"));
    this.form = /** @type {HTMLFormElement} */ (one("#order-form"));
    this.errors = new SheetErrors(this.form);
    this.delivery = new DeliveryForm(this.form);
    this.quotes = new Quotes(shop, () => this.#quoted());
    this.lines = new LineList(one("#order-lines"), {
      good: shop.good,
      now: shop.now,
      onTyped: (id, typed) => this.#typed(id, typed),
      onRemove: (id) => this.#remove(id),
    });
    this.#listen();
    this.basket.lines = this.basket.lines.filter(({ id }) => shop.good(id));
    if (this.basket.isOpen && this.basket.lines.length) this.#open();
  }

  /** One thing, now; what is in the basket goes with it. @param {string} id */
  open(id) {
    if (!this.basket.isKept) this.#forget();
    if (!this.basket.line(id) && !this.basket.add(id)) this.basket.isKept = true;
    this.#open();
  }

  /** What is in the basket. */
  openBasket() {
    if (this.basket.lines.length) this.#open();
  }

  /** Put one in without opening. @param {string} id @param {number} [quantity] */
  add(id, quantity = 1) {
    this.basket.isKept = true;
    this.basket.add(id, quantity);
    this.shop.basketChanged();
    this.refresh();
  }

  /** What the basket comes to, without delivery. @returns {{pieces: number, text: string}} */
  get sum() {
    const minor = this.#wishedLines().reduce((sum, { price_minor: price, quantity }) => sum + price * (quantity || 0), 0);
    return { pieces: this.basket.isKept ? this.basket.pieces : 0, text: money(minor, this.#currency) };
  }

  /** Stock, prices, the time or who is signed in may have changed. */
  refresh() {
    if (!this.dialog.open || this.form.hidden) return;
    const signedIn = this.shop.signedIn();
    this.lines.show(this.basket.lines);
    const blocked = this.#blocked();
    this.#showTotal();
    this.#showMore();
    show(one("#order-delivery"), signedIn);
    show(one("#order-submit"), signedIn);
    show(one("#order-sign-in"), !signedIn);
    show(one("#order-promise"), !signedIn);
    this.#showSubmit(blocked);
  }

  #open() {
    const { basket } = this;
    basket.isOpen = true;
    show(this.form, true);
    show(one("#order-done"), false);
    this.#clear();
    this.delivery.fill(basket.values);
    if (!this.dialog.open) this.dialog.showModal();
    basket.save();
    this.refresh();
    if (basket.isSent) this.errors.problem(gettext("Your order may have arrived already. Tap Order again: you will not get it twice."));
    this.#loading = this.#loadCheckout().finally(() => (this.#loading = null));
    this.#ask();
  }

  #listen() {
    this.form.addEventListener("input", ({ target }) => {
      const field = /** @type {HTMLElement} */ (target).closest("[data-field]");
      if (field instanceof HTMLElement && !field.classList.contains("line")) this.errors.tell(field.dataset.field ?? "", "");
      this.#edited();
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    for (const button of all("[data-close]", this.dialog)) button.addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
    this.dialog.addEventListener("close", () => this.#closed());
    one("#order-else").addEventListener("click", ({ target }) => {
      const button = /** @type {HTMLElement} */ (target).closest("[data-put]");
      if (button instanceof HTMLElement) this.#putIn(button.dataset.put ?? "");
    });
  }

  /** A basket stays; one thing that was looked at for buying now does not. */
  #closed() {
    this.basket.isOpen = false;
    if (!this.basket.isKept) this.#forget();
    this.basket.save();
    this.shop.basketChanged();
  }

  #forget() {
    this.basket.clear();
    this.quotes.forget();
  }

  #putIn(id) {
    this.basket.isKept = true;
    this.basket.add(id);
    this.#edited();
    const input = this.dialog.querySelector("#order-lines > li:last-child input");
    if (input instanceof HTMLElement) input.focus();
  }

  #typed(id, typed) {
    const line = this.basket.line(id);
    if (line) line.typed = typed;
    this.lines.tell(id, "");
    this.#edited();
  }

  #remove(id) {
    this.basket.remove(id);
    if (!this.basket.lines.length) return this.dialog.close();
    one("#order-title").focus();
    this.#edited();
  }

  #edited() {
    if (this.#isRefused) this.errors.problem("");
    this.#isRefused = false;
    this.delivery.refresh();
    this.basket.values = this.delivery.values;
    this.basket.save();
    this.shop.basketChanged();
    this.refresh();
    this.#ask();
  }

  async #loadCheckout() {
    try {
      this.#checkout ??= await api("GET", `/api/v1/checkout?${new URLSearchParams(this.shop.asks)}`);
    } catch (error) {
      console.warn("no checkout:", error); // only what saves typing is missing: the form itself works
      return;
    }
    this.delivery.load(this.#checkout, this.basket.values);
    this.refresh();
    this.#ask();
  }

  // What it comes to

  #ask() {
    this.quotes.ask(this.#wishedLines(), this.delivery.to);
  }

  #quoted() {
    for (const line of this.quotes.lines) {
      const id = line[this.shop.lineId];
      if (!id) continue;
      const known = this.lines.limits.get(id);
      this.lines.limits.set(id, line.available);
      const good = this.shop.good(id);
      if (good && good.price_minor !== line.price_minor) this.shop.goodChanged({ ...good, price_minor: line.price_minor });
      if (known !== line.available) this.lines.tell(id, "");
    }
    this.refresh();
  }

  #wishedLines() {
    return this.basket.lines.map(({ id, typed }) => ({
      [this.shop.lineId]: id,
      quantity: countOf(typed),
      price_minor: this.shop.good(id)?.price_minor ?? 0,
    }));
  }

  get #goodsMinor() {
    return this.#wishedLines().reduce((sum, { price_minor: price, quantity }) => sum + price * quantity, 0);
  }

  get #currency() {
    return this.shop.good(this.basket.lines[0]?.id)?.currency ?? "CNY";
  }

  /** With delivery, as far as that is known. NaN while a quantity is none. */
  get #totalMinor() {
    return this.#goodsMinor + (this.#feeMinor ?? 0);
  }

  get #feeMinor() {
    return this.delivery.to.kind === "pickup" ? 0 : this.quotes.feeMinor;
  }

  #showTotal() {
    const total = this.#totalMinor;
    const fee = this.#feeMinor;
    one("#order-total").textContent = Number.isNaN(total) ? "–" : money(total, this.#currency);
    one("#order-fee").textContent = Number.isNaN(total) ? "" : this.#feeText(fee);
  }

  #feeText(fee) {
    if (fee === null) return this.shop.signedIn() ? this.quotes.feeProblem : gettext("and delivery");
    if (fee === 0) return this.quotes.isKnown ? gettext("delivery costs nothing") : "";
    const parts = { goods: money(this.#goodsMinor, this.#currency), fee: money(fee, this.#currency) };
    return interpolate(gettext("%(goods)s and %(fee)s delivery"), parts, true);
  }

  /** What else is sold here and not in the basket yet. */
  #showMore() {
    const others = this.shop.goods().filter((good) => !this.basket.line(good.id) && stageOf(good, this.shop.now()) === "open" && mostOf(good) > 0);
    const place = one("#order-else");
    show(place, others.length > 0);
    const wanted = others.map(({ id, price_minor: price }) => `${id}:${price}`).join();
    if (place.dataset.shows === wanted) return;
    place.dataset.shows = wanted;
    one("#order-else-list").replaceChildren(...others.map(otherRow));
  }

  #clear() {
    this.#isRefused = false;
    this.errors.clear();
  }

  // Ordering

  /** Why nothing can be ordered now, in words for the button; "" if it can be. */
  #blocked() {
    let blocked = "";
    for (const line of this.basket.lines) {
      const good = this.shop.good(line.id);
      const stage = good ? stageOf(good, this.shop.now()) : "closed";
      const wrong = this.lines.problem(line);
      if (stage === "soon" || stage === "waits") blocked ||= windowText(/** @type {Good} */ (good), this.shop.now());
      else if (stage === "closed") blocked ||= gettext("This offer is over");
      else if (stage === "sold_out") blocked ||= gettext("Sold out");
      if (!this.#busy && wrong && countOf(line.typed)) this.lines.tell(line.id, wrong);
    }
    const only = this.basket.lines.length === 1;
    const isOut = only && blocked === gettext("Sold out");
    if (isOut && !this.#busy) this.errors.problem(gettext("Sold out. Somebody was faster; nothing was ordered."));
    else if (!this.#isRefused && !this.basket.isSent) this.errors.problem(this.quotes.problem);
    if (!this.#busy) this.#tellNotDelivered();
    return blocked || this.quotes.tooLittle;
  }

  /** At the region, or at the address that is kept. */
  #tellNotDelivered() {
    const message = this.delivery.to.kind === "pickup" ? "" : this.quotes.notDelivered;
    const place = this.delivery.isSaved ? "saved" : "region";
    const told = message && `${place}: ${message}`;
    if (this.#notDelivered === told) return;
    this.#notDelivered = told;
    for (const name of ["region", "saved"]) this.errors.tell(name, name === place ? message : "");
  }

  #showSubmit(blocked) {
    const submit = /** @type {HTMLButtonElement} */ (one("#order-submit"));
    submit.disabled = blocked !== "" && !this.#busy;
    submit.setAttribute("aria-busy", String(this.#busy));
    const text = this.#busy ? gettext("Ordering…") : blocked || this.#submitText();
    if (submit.textContent !== text) submit.textContent = text;
  }

  #submitText() {
    if (Number.isNaN(this.#totalMinor) || this.#feeMinor === null) return gettext("Order");
    const total = money(this.#totalMinor, this.#currency);
    const text = this.delivery.paymentMethod === "online" ? gettext("Order and pay %s") : gettext("Order for %s");
    return interpolate(text, [total]);
  }

  async #submit() {
    if (this.#busy || !this.basket.lines.length || !this.shop.signedIn()) return;
    await this.#addresses();
    this.#clear();
    if (!this.dialog.open || !this.#complete()) return;
    this.#busy = this.basket.isSent = true;
    this.basket.save();
    this.refresh();
    try {
      const order = this.#order();
      this.#succeeded(await this.shop.place(order), order.lines);
    } catch (error) {
      this.#refused(error);
    } finally {
      this.#busy = false;
      this.refresh();
    }
  }

  /** What is missing may be on its way: who taps that early means the address that is kept. */
  async #addresses() {
    if (!this.#loading || !Object.keys(this.delivery.missing()).length) return;
    this.#busy = true;
    this.refresh();
    await this.#loading;
    this.#busy = false;
    this.refresh();
  }

  #order() {
    return {
      key: this.basket.key,
      lines: this.#wishedLines(),
      total_minor: this.#totalMinor,
      delivery: this.delivery.destination,
      payment_method: this.delivery.paymentMethod,
      note: this.delivery.values.note,
    };
  }

  /** Say at once what is missing; the server looks again. */
  #complete() {
    const missing = this.delivery.missing();
    for (const [name, message] of Object.entries(missing)) this.errors.tell(name, message);
    const wrong = this.basket.lines.map((line) => [line.id, this.lines.problem(line)]).filter(([, message]) => message);
    for (const [id, message] of wrong) this.lines.tell(id, message);
    this.errors.focusFirst();
    return !Object.keys(missing).length && !wrong.length;
  }

  #succeeded(order, lines) {
    this.#forget();
    this.shop.basketChanged();
    this.shop.placed?.(order, lines);
    showDone(order, this.delivery.pickupPoint);
    show(this.form, false);
    show(one("#order-done"), true);
    one("#order-done").focus();
    if (order.state === "held") location.assign(payUrl(order));
  }

  #refused(error) {
    this.#isRefused = true;
    this.basket.isSent = NO_ANSWER.has(error.code);
    // What was sent before is an order by now. Who was told so and taps again means another one.
    if (error.code === "key_reused") this.basket.key = crypto.randomUUID();
    this.basket.save();
    if (error.code === "price_changed") this.#takePrices(error.details);
    const fields = error.errors?.length ? error.errors : error.field ? [{ field: error.field, message: error.message }] : [];
    const shown = fields.filter(({ field, message }) => this.#tellField(field, message));
    if (shown.length) this.errors.focusFirst();
    if (!shown.length || error.code === "price_changed") this.errors.problem(problemText(error));
    if (REFUSED_BY_TERMS.has(error.code)) this.#ask();
  }

  /** What holds now is shown, and asked again. */
  #takePrices({ lines = [], fee_minor: fee }) {
    for (const line of lines) {
      const good = this.shop.good(line[this.shop.lineId]);
      if (good) this.shop.goodChanged({ ...good, price_minor: line.price_minor });
    }
    this.quotes.setFee(fee ?? null);
  }

  /** @returns {boolean} whether there is such a field */
  #tellField(field, message) {
    const [, place, part] = /^lines\.(\d+)\.(\w+)$/.exec(field) ?? [];
    const line = place === undefined ? null : this.basket.lines[Number(place)];
    if (line && part !== "price_minor") {
      this.lines.tell(line.id, message);
      return true;
    }
    const name = field.split(".").at(-1) ?? "";
    if (field.startsWith("delivery.") && name !== "kind" && name !== "point_id") this.delivery.openForm();
    return this.errors.tell(name, message);
  }
}

const REFUSED_BY_TERMS = new Set(["sold_out", "offer_sold_out", "limit_reached", "not_delivered", "below_minimum", "offer_closed", "offer_not_open"]);
