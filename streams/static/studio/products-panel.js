// What the show sells: stock as it falls, and one tap to show a product to everybody.

import { el, icon, one, show } from "../livecommerce/dom.js";
import { money } from "../livecommerce/format.js";

const LOW_STOCK = 5;

export class ProductsPanel {
  #list = one("#offers");
  #error = one("#products-error");
  #offers = [];
  #pinnedId = null;
  #send;
  #mayPin;

  constructor(send, mayPin) {
    this.#send = send;
    this.#mayPin = mayPin;
  }

  reset(offers, pinnedId) {
    this.#offers = offers.map((offer) => ({ ...offer }));
    this.#pinnedId = pinnedId;
    this.#draw();
  }

  pin(offerId) {
    this.#pinnedId = offerId;
    this.#draw();
  }

  /** News of stock may arrive out of order: the highest version is the truth. */
  stock({ variant_id: variantId, available, version }) {
    const offer = this.#offers.find((one) => one.variant_id === variantId);
    if (!offer || offer.stock_version >= version) return;
    Object.assign(offer, { available, stock_version: version });
    this.#draw();
  }

  #draw() {
    const focused = document.activeElement?.dataset?.offer;
    this.#list.replaceChildren(...this.#offers.map((offer) => this.#row(offer)));
    show(one("#offers-empty"), this.#offers.length === 0);
    this.#drawLow();
    if (focused) this.#list.querySelector(`[data-offer="${CSS.escape(focused)}"]`)?.focus();
  }

  #drawLow() {
    const low = this.#offers.filter(({ available }) => available <= LOW_STOCK);
    const words = low.map(({ title, available }) => `${title}: ${stockWords(available)}`);
    one("#stock-low-text").textContent = words.join(" · ");
    show(one("#stock-low"), low.length > 0);
    one("#products-low").textContent = String(low.length);
    show(one("#products-low"), low.length > 0);
  }

  #row(offer) {
    const isPinned = offer.id === this.#pinnedId;
    return el(
      "li",
      { class: isPinned ? "offer offer--pinned" : "offer" },
      picture(offer),
      el(
        "div",
        { class: "offer__text" },
        el("strong", {}, offer.title),
        el("span", { class: "row" }, el("span", { class: "price" }, money(offer.price_minor, offer.currency)), stockBadge(offer.available)),
        isPinned ? el("span", { class: "offer__now small" }, gettext("Everybody sees this now")) : null,
      ),
      this.#mayPin ? this.#pinButton(offer, isPinned) : null,
    );
  }

  #pinButton(offer, isPinned) {
    const word = isPinned ? gettext("Unpin") : gettext("Pin");
    return el(
      "button",
      {
        type: "button",
        class: isPinned ? "button" : "button button--primary",
        "aria-label": `${word}: ${offer.title}`,
        "aria-pressed": String(isPinned),
        data: { offer: offer.id },
        on: { click: () => this.#toggle(offer, isPinned) },
      },
      icon("pin"),
      word,
    );
  }

  async #toggle(offer, isPinned) {
    this.#error.textContent = "";
    try {
      if (isPinned) await this.#send("product.unpin", {});
      else await this.#send("product.pin", { offer_id: offer.id });
      this.pin(isPinned ? null : offer.id);
    } catch (error) {
      this.#error.textContent = error.message;
    }
  }
}

function picture({ image_url: url }) {
  if (url) return el("img", { class: "offer__picture", src: url, alt: "", loading: "lazy" });
  return el("span", { class: "offer__picture", "aria-hidden": "true" }, icon("apple"));
}

function stockBadge(available) {
  return el("span", { class: available <= LOW_STOCK ? "badge badge--warn" : "badge" }, stockWords(available));
}

function stockWords(available) {
  if (available === 0) return gettext("Sold out");
  return interpolate(ngettext("%s left", "%s left", available), [available]);
}
