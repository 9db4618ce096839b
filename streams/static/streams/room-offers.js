/** Goods on the page: one card per offer, kept up to date in place so that no focus is lost. */

import { all, el, icon } from "../livecommerce/dom.js";
import { money } from "../livecommerce/format.js";

/** From here on few are left, and it is worth saying so in another colour. */
const FEW = 5;

/** @typedef {import("./room-state.js").Offer} Offer */

/**
 * @param {Offer} offer
 * @param {(picture: HTMLElement, offer: Offer) => HTMLElement} [frame] what stands around the picture
 */
export function offerCard(offer, frame = (bare) => bare) {
  const card = el(
    "article",
    { class: "offer", data: { offer: offer.id } },
    frame(picture(offer), offer),
    el(
      "div",
      { class: "offer__text" },
      el("h3", { class: "offer__title" }, offer.title),
      el("p", { class: "offer__facts" }, el("span", { class: "price" }), " ", el("span", { class: "offer__stock" })),
    ),
    el("button", { class: "button button--buy offer__buy", type: "button", data: { buy: offer.id } }, gettext("Buy")),
  );
  updateCard(card, offer);
  return card;
}

function picture(offer) {
  if (offer.image_url) {
    return el("img", { class: "offer__picture", src: offer.image_url, alt: "", width: 64, height: 64 });
  }
  return el("span", { class: "offer__picture offer__picture--none" }, icon("apple"));
}

/** @param {Offer} offer @returns {string} "12 left" or "Sold out" */
export function stockText(offer) {
  if (offer.available <= 0) return gettext("Sold out");
  return interpolate(ngettext("%s left", "%s left", offer.available), [offer.available]);
}

function updateCard(card, offer) {
  const stock = card.querySelector(".offer__stock");
  const text = stockText(offer);
  if (stock.textContent && stock.textContent.trim() !== text) blink(stock);
  stock.textContent = text;
  stock.classList.toggle("offer__stock--out", offer.available <= 0);
  stock.classList.toggle("offer__stock--few", offer.available > 0 && offer.available <= FEW);
  card.querySelector(".price").textContent = money(offer.price_minor, offer.currency);
  const buy = card.querySelector("[data-buy]");
  buy.disabled = offer.available <= 0;
  buy.setAttribute("aria-label", interpolate(gettext("Buy %s"), [offer.title]));
}

function blink(element) {
  element.classList.remove("is-new");
  requestAnimationFrame(() => element.classList.add("is-new"));
}

/** Bring every card on the page up to date with the offers. @param {Iterable<Offer>} offers */
export function updateCards(offers) {
  for (const offer of offers) {
    for (const card of all(`[data-offer="${CSS.escape(offer.id)}"]`)) updateCard(card, offer);
  }
}

/** @param {HTMLElement} place @param {Offer|null} offer the pinned one */
export function showPinned(place, offer) {
  place.hidden = offer === null;
  const shown = place.querySelector("[data-offer]");
  if (offer === null) place.replaceChildren();
  else if (shown?.dataset.offer !== offer.id) place.replaceChildren(offerCard(offer));
}

/**
 * @param {HTMLElement} list a <ul>; filled again only when other offers are to be in it
 * @param {Offer[]} offers
 * @param {(picture: HTMLElement, offer: Offer) => HTMLElement} [frame]
 */
export function showShelf(list, offers, frame) {
  const wanted = offers.map((offer) => offer.id).join();
  if (list.dataset.shows === wanted) return;
  list.dataset.shows = wanted;
  const rows = offers.map((offer) => el("li", {}, offerCard(offer, frame)));
  const none = el("li", { class: "muted" }, gettext("Nothing is on sale in this show yet."));
  list.replaceChildren(...(rows.length ? rows : [none]));
}

/** @param {(offerId: string) => void} onBuy for every buy button on the page, now and later */
export function listenForBuy(onBuy) {
  document.addEventListener("click", (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest?.("[data-buy]");
    if (button instanceof HTMLElement && button.dataset.buy) onBuy(button.dataset.buy);
  });
}
