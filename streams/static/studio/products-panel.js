// What the show sells: stock as it falls, and one tap to show a product to everybody.

import { el, icon, one, show } from "../livecommerce/dom.js";
import { money } from "../livecommerce/format.js";
import { countdown } from "../livecommerce/server-clock.js";
import { ShopTime } from "../orders/shop-time.js";
import { amountText, leftOf, limitText, stageOf, windowText } from "../orders/terms.js";
import { OfferDialog } from "./offer-dialog.js";

export class ProductsPanel {
  #list = one("#offers");
  #error = one("#products-error");
  #offers = [];
  #pinnedId = null;
  #send;
  #mayPin;
  #dialog;
  #time = new ShopTime(Date.now(), () => this.#offers, () => this.#tick());
  /** The stage of each offer as it is drawn: a row is only drawn anew when that changes. */
  #stages = "";

  constructor(send, mayPin, showId) {
    this.#send = send;
    this.#mayPin = mayPin;
    this.#dialog = mayPin ? new OfferDialog(showId) : null;
  }

  /** The room's socket is open: what opens and closes does so by the server's clock. */
  connected(client, atMs) {
    this.#time.connected(client, atMs);
  }

  /** Other terms, or a drop that opens or closes. The highest version is the truth. */
  changed(client, offer) {
    const place = this.#offers.findIndex(({ id }) => id === offer.id);
    if (place >= 0 && this.#offers[place].version >= offer.version) return;
    if (place < 0) this.#offers.push(offer);
    else this.#offers[place] = { ...offer };
    this.#time.changed(client);
    this.#draw();
  }

  /** It was taken out of the show. */
  removed(offerId) {
    this.#offers = this.#offers.filter(({ id }) => id !== offerId);
    if (this.#pinnedId === offerId) this.#pinnedId = null;
    this.#time.changed();
    this.#draw();
  }

  reset(offers, pinnedId) {
    this.#offers = offers.map((offer) => ({ ...offer }));
    this.#pinnedId = pinnedId;
    this.#time.changed();
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

  #tick() {
    if (this.#stagesNow() !== this.#stages) return this.#draw();
    const now = this.#time.now();
    for (const offer of this.#offers) {
      const row = this.#list.querySelector(`[data-row="${CSS.escape(offer.id)}"]`);
      const window = row?.querySelector(".offer__window");
      if (window) window.textContent = windowText(offer, now);
      const count = row?.querySelector(".offer__count");
      if (count) count.textContent = untilChange(offer, now);
    }
  }

  #stagesNow() {
    return this.#offers.map((offer) => stageOf(offer, this.#time.now())).join();
  }

  #draw() {
    this.#stages = this.#stagesNow();
    const focused = document.activeElement?.dataset?.offer;
    this.#list.replaceChildren(...this.#offers.map((offer) => this.#row(offer)));
    show(one("#offers-empty"), this.#offers.length === 0);
    this.#drawLow();
    if (focused) this.#list.querySelector(`[data-offer="${CSS.escape(focused)}"]`)?.focus();
  }

  #drawLow() {
    const low = this.#offers.filter(isLow);
    const words = low.map((offer) => `${offer.title}: ${stockWords(offer)}`);
    one("#stock-low-text").textContent = words.join(" · ");
    show(one("#stock-low"), low.length > 0);
    one("#products-low").textContent = String(low.length);
    show(one("#products-low"), low.length > 0);
  }

  #row(offer) {
    const isPinned = offer.id === this.#pinnedId;
    const stage = stageOf(offer, this.#time.now());
    const isDrop = offer.on_tap && this.#mayPin;
    return el(
      "li",
      { class: isPinned ? "offer offer--pinned" : "offer", data: { row: offer.id } },
      picture(offer),
      el(
        "div",
        { class: "offer__text" },
        el("strong", {}, offer.title),
        el("span", { class: "row" }, el("span", { class: "price" }, money(offer.price_minor, offer.currency)), stockBadge(offer)),
        el("span", { class: "offer__sold muted small" }, [soldText(offer), limitText(offer)].filter(Boolean).join(" · ")),
        isDrop || stage === "open" && !offer.closes_at_ms ? null : el("span", { class: "offer__window small" }, windowText(offer, this.#time.now())),
        isPinned ? el("span", { class: "offer__now small" }, gettext("Everybody sees this now")) : null,
      ),
      this.#mayPin ? el("div", { class: "offer__buttons" }, this.#termsButton(offer), this.#pinButton(offer, isPinned)) : null,
      isDrop ? this.#drop(offer, stage) : null,
    );
  }

  /** The tap: three seconds later it opens for everybody at once. */
  #drop(offer, stage) {
    const isGoing = stage === "open" || stage === "soon" || stage === "sold_out";
    const text = stage === "closed" ? gettext("Open again") : gettext("Open now");
    return el(
      "div",
      { class: "offer__drop" },
      isGoing ? el("span", { class: "offer__count", role: "timer", "aria-live": "off" }, untilChange(offer, this.#time.now())) : null,
      isGoing
        ? this.#tap(offer, "offer.close", gettext("Close"), "button")
        : this.#tap(offer, "offer.open", text, "button button--buy button--big"),
    );
  }

  #tap(offer, command, word, look) {
    return el(
      "button",
      {
        type: "button",
        class: look,
        "aria-label": `${word}: ${offer.title}`,
        data: { offer: `${command} ${offer.id}` },
        on: { click: (event) => this.#ask(event.currentTarget, command, offer) },
      },
      icon(command === "offer.open" ? "live" : "close"),
      word,
    );
  }

  /** A second tap meanwhile asks for the same, and is answered the same. */
  async #ask(button, command, offer) {
    this.#error.textContent = "";
    button.setAttribute("aria-busy", "true");
    try {
      await this.#send(command, { offer_id: offer.id });
    } catch (error) {
      this.#error.textContent = error.message;
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  #termsButton(offer) {
    return el(
      "button",
      {
        type: "button",
        class: "button button--icon",
        "aria-label": interpolate(gettext("Terms of %s"), [offer.title]),
        data: { offer: `terms ${offer.id}` },
        on: { click: () => this.#dialog.open(offer) },
      },
      icon("edit"),
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

/** "8 of 20 sold", or how many where the show does not limit them. */
function soldText({ quantity, sold }) {
  if (quantity) return interpolate(gettext("%s of %s sold"), [sold, quantity]);
  return sold ? interpolate(ngettext("%s sold", "%s sold", sold), [sold]) : "";
}

/** What a drop that was tapped waits for: to open, then to close. */
function untilChange(offer, nowMs) {
  const stage = stageOf(offer, nowMs);
  if (stage === "soon") return interpolate(gettext("Opens in %s"), [countdown(offer.opens_at_ms - nowMs)]);
  if (leftOf(offer) === 0) return gettext("Sold out");
  return offer.closes_at_ms ? countdown(offer.closes_at_ms - nowMs) : gettext("open");
}

function picture({ image_url: url }) {
  if (url) return el("img", { class: "offer__picture", src: url, alt: "", loading: "lazy" });
  return el("span", { class: "offer__picture", "aria-hidden": "true" }, icon("apple"));
}

/** As few as its seller wants to be told of, or none. */
function isLow({ available, low_at: lowAt }) {
  return available <= (lowAt ?? 0);
}

function stockBadge(offer) {
  return el("span", { class: isLow(offer) ? "badge badge--warn" : "badge" }, stockWords(offer));
}

function stockWords({ available, unit }) {
  return available === 0 ? gettext("Sold out") : interpolate(gettext("%s left"), [amountText(available, unit)]);
}
