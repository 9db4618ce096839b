/**
 * Ordering: a sheet over the room. One intent has one key until it is answered, so that double
 * taps, reconnections and reloads give one order; what was chosen survives signing in.
 */

import { api } from "../livecommerce/api.js";
import { all, el, one, show } from "../livecommerce/dom.js";
import { money } from "../livecommerce/format.js";
import { recall, remember } from "../livecommerce/store.js";
import { stockText } from "./room-offers.js";

const MOST_PER_ORDER = 999;

/** @typedef {import("./room-state.js").Offer} Offer */

/**
 * @typedef {object} Shop
 * @property {string} showId
 * @property {() => boolean} signedIn
 * @property {(offerId: string) => Offer|undefined} offer as it is now
 * @property {(order: any) => Promise<any>} place answers {id, number, total_minor, currency, url}
 * @property {(offer: Offer) => void} offerChanged the server told a newer price
 */

export class OrderSheet {
  /** @type {string|null} */ #offerId = null;
  /** @type {string} */ #key = "";
  #checkout = null;
  #busy = false;

  /** @param {Shop} shop */
  constructor(shop) {
    this.shop = shop;
    this.basket = new Basket(shop.showId);
    this.dialog = /** @type {HTMLDialogElement} */ (one("#order-sheet"));
    this.form = /** @type {HTMLFormElement} */ (one("#order-form"));
    this.quantity = /** @type {HTMLInputElement} */ (one("#order-quantity"));
    this.#listen();
    const kept = this.basket.load();
    if (kept && shop.offer(kept.offer_id)) this.open(kept.offer_id, kept);
  }

  /** @param {string} offerId @param {any} [kept] what was filled in before */
  open(offerId, kept = null) {
    this.#offerId = offerId;
    this.#key = kept?.key ?? crypto.randomUUID();
    show(this.form, true);
    show(one("#order-done"), false);
    this.#clearErrors();
    this.quantity.value = String(kept?.quantity ?? 1);
    if (kept) this.#fill(kept);
    this.refresh();
    if (!this.dialog.open) this.dialog.showModal();
    this.#save();
    this.#loadCheckout();
  }

  /** Stock, price or sign-in may have changed. */
  refresh() {
    const offer = this.#offerId && this.shop.offer(this.#offerId);
    if (!offer) return;
    const most = Math.min(MOST_PER_ORDER, Math.max(0, offer.available));
    this.#keepWithin(most);
    const signedIn = this.shop.signedIn();
    one("#order-product").replaceChildren(...productLine(offer));
    one("#order-stock").textContent = stockText(offer);
    const total = offer.price_minor * this.#count();
    one("#order-total").textContent = Number.isNaN(total) ? "–" : money(total, offer.currency);
    show(one("#order-delivery"), signedIn);
    show(one("#order-submit"), signedIn);
    show(one("#order-sign-in"), !signedIn);
    show(one("#order-promise"), !signedIn);
    this.#showBusy(most === 0);
  }

  #keepWithin(most) {
    const count = this.#count();
    this.quantity.max = String(Math.max(1, most));
    one("#fewer").disabled = !(count > 1);
    one("#more").disabled = count >= most;
    if (this.#busy) return;
    if (most === 0) this.#problem(gettext("Sold out. Somebody was faster; nothing was ordered."));
    else if (count > most) this.#fieldError("quantity", tooMany(most));
  }

  /** The quantity as it was typed: a whole number from 1 up, or NaN. Nobody's number is changed. */
  #count() {
    const typed = this.quantity.value.trim();
    return /^0*[1-9][0-9]*$/.test(typed) ? Number(typed) : NaN;
  }

  #listen() {
    one("#fewer").addEventListener("click", () => this.#step(-1));
    one("#more").addEventListener("click", () => this.#step(1));
    this.form.addEventListener("input", ({ target }) => {
      if (target === this.quantity) this.#fieldError("quantity", "");
      this.#edited();
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    for (const button of all("[data-close]", this.dialog)) button.addEventListener("click", () => this.#close());
    this.dialog.addEventListener("cancel", () => this.basket.clear());
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.#close());
  }

  #step(by) {
    this.quantity.value = String(Math.max(1, (this.#count() || 0) + by));
    this.#fieldError("quantity", "");
    this.#edited();
  }

  #edited() {
    this.#showKind();
    this.refresh();
    this.#save();
  }

  #close() {
    this.basket.clear();
    this.dialog.close();
  }

  #save() {
    this.basket.save({ ...this.#values(), offer_id: this.#offerId, key: this.#key });
  }

  #values() {
    const data = Object.fromEntries(new FormData(this.form));
    return { ...data, quantity: this.#count() };
  }

  // Where it goes

  async #loadCheckout() {
    if (!this.shop.signedIn()) return;
    try {
      this.#checkout ??= await api("GET", `/api/v1/me/checkout?show_id=${this.shop.showId}`);
      this.#showCheckout(this.#checkout);
    } catch (error) {
      // Only what saves typing is missing: the form itself works.
      console.warn("no saved address:", error);
      this.#showCheckout({ address: null, pickup_points: [] });
    }
  }

  #showCheckout({ address, pickup_points: points }) {
    for (const name of ["name", "phone", "address"]) {
      const input = this.form.elements.namedItem(name);
      if (address && !input.value) input.value = address[name];
    }
    show(one("#pickup-choice"), points.length > 0);
    if (!one("#pickup-list").children.length) one("#pickup-list").append(...points.map(pickupChoice));
    const kept = this.basket.load();
    if (kept) this.#fill(kept, ["kind", "point_id"]);
    this.#showKind();
  }

  #showKind() {
    const isPickup = this.form.elements.namedItem("kind").value === "pickup";
    show(one("#pickup-points"), isPickup);
    show(one("#order-address-field"), !isPickup);
  }

  #fill(kept, names = ["name", "phone", "address", "note", "kind"]) {
    for (const name of names) {
      const input = this.form.elements.namedItem(name);
      if (input && kept[name]) input.value = kept[name];
    }
    this.#showKind();
  }

  // Ordering

  async #submit() {
    const offer = this.shop.offer(this.#offerId);
    if (this.#busy || !offer || !this.shop.signedIn()) return;
    this.#clearErrors();
    if (!this.#complete(offer)) return;
    this.#busy = true;
    this.#showBusy(false);
    try {
      this.#succeeded(await this.shop.place(this.#order(offer)));
    } catch (error) {
      this.#refused(error, offer);
    } finally {
      this.#busy = false;
      this.refresh();
    }
  }

  #order(offer) {
    const { kind, name, phone, address, point_id, note } = this.#values();
    const place = kind === "pickup" ? { point_id: point_id ?? "" } : { address };
    return {
      key: this.#key,
      lines: [{ offer_id: offer.id, quantity: this.#count(), price_minor: offer.price_minor }],
      delivery: { kind, name, phone, ...place },
      note: note ?? "",
    };
  }

  /** Say at once what is missing; the server looks again. */
  #complete(offer) {
    const values = this.#values();
    const needed = values.kind === "pickup" ? ["name", "phone", "point_id"] : ["name", "phone", "address"];
    const missing = needed.filter((name) => !values[name]?.trim());
    for (const name of missing) this.#fieldError(name, MISSING[name]());
    const wrong = this.#wrongQuantity(Math.min(MOST_PER_ORDER, offer.available));
    if (wrong) this.#fieldError("quantity", wrong);
    this.#focusError();
    return missing.length === 0 && !wrong;
  }

  #wrongQuantity(most) {
    const count = this.#count();
    if (Number.isNaN(count)) return gettext("Please write a whole number, 1 or more.");
    return count > most ? tooMany(most) : "";
  }

  #succeeded(order) {
    this.basket.clear();
    this.#key = crypto.randomUUID();
    const total = money(order.total_minor, order.currency);
    one("#order-summary").textContent = interpolate(gettext("Order %s"), [order.number]);
    one("#order-cash").textContent = interpolate(gettext("You pay %s in cash when you get it."), [total]);
    one("#order-link").setAttribute("href", order.url);
    show(this.form, false);
    show(one("#order-done"), true);
    one("#order-done").focus();
  }

  #refused(error, offer) {
    const newPrice = error.details?.price_minor;
    if (newPrice !== undefined) this.shop.offerChanged({ ...offer, price_minor: newPrice });
    const fields = error.errors?.length ? error.errors : error.field ? [error] : [];
    const shown = fields.filter(({ field, message }) => this.#fieldError(lastPart(field), message));
    if (shown.length) this.#focusError();
    else this.#problem(problemText(error));
  }

  #showBusy(soldOut) {
    const submit = one("#order-submit");
    submit.disabled = soldOut;
    submit.setAttribute("aria-busy", String(this.#busy));
    submit.textContent = this.#busy ? gettext("Ordering…") : soldOut ? gettext("Sold out") : gettext("Order");
  }

  // Telling what is wrong

  /** @returns {boolean} whether the form has such a field */
  #fieldError(name, message) {
    const field = this.form.querySelector(`[data-field="${CSS.escape(name)}"]`);
    if (!field) return false;
    one(".field__error", field).textContent = message;
    for (const input of all("input", field)) input.setAttribute("aria-invalid", String(Boolean(message)));
    return true;
  }

  #problem(message) {
    one("#order-problem").textContent = message;
    show(one("#order-problem"), message !== "");
  }

  #clearErrors() {
    this.#problem("");
    for (const field of all("[data-field]", this.form)) this.#fieldError(field.dataset.field, "");
  }

  #focusError() {
    const [first] = all('input[aria-invalid="true"]', this.form);
    first?.focus({ preventScroll: true });
    first?.closest("[data-field]").scrollIntoView({ block: "center" }); // its message too
  }
}

const MISSING = {
  name: () => gettext("Who is it for?"),
  phone: () => gettext("The courier or the shop needs a phone number."),
  address: () => gettext("Where should it be brought?"),
  point_id: () => gettext("Please choose where you will fetch it."),
};

function tooMany(most) {
  return interpolate(ngettext("Only %s is left.", "Only %s are left.", most), [most]);
}

function lastPart(field) {
  return field.split(".").at(-1);
}

function problemText(error) {
  if (["connection_lost", "timeout", "network"].includes(error.code)) {
    return gettext("No answer from the shop yet. Tap Order again: you will not get it twice.");
  }
  if (error.code === "price_changed") {
    return `${error.message} ${gettext("Tap Order again if that suits you.")}`;
  }
  return error.message;
}

function productLine(offer) {
  return [
    el("strong", {}, offer.title),
    el("span", { class: "price" }, money(offer.price_minor, offer.currency)),
  ];
}

/** Where there is one place only, it is chosen already. */
function pickupChoice(point, _index, points) {
  return el(
    "label",
    { class: "choice" },
    el("input", { type: "radio", name: "point_id", value: point.id, checked: points.length === 1 }),
    el("span", {}, el("strong", {}, point.name), el("br"), `${point.address} ${point.hours}`),
  );
}

/** What is being ordered, kept in this tab until it is ordered or put aside. */
class Basket {
  constructor(showId) {
    this.name = `livecommerce.basket.${showId}`;
  }

  load() {
    return recall(this.name);
  }

  save(basket) {
    remember(this.name, basket);
  }

  clear() {
    remember(this.name, null);
  }
}
