/** Goods on the page: one card per offer, kept up to date in place so that no focus is lost. */

import { all, el, icon, show } from "../livecommerce/dom.js";
import { money } from "../livecommerce/format.js";
import { pictureAt } from "./room-pictures.js";
import { FEW, isLimitReached, leftOf, limitText, stageOf, stockText, unitText, windowText } from "../orders/terms.js";

export { stockText } from "../orders/terms.js";

/** @typedef {import("../orders/terms.js").Good} Offer */

/**
 * @param {Offer} offer
 * @param {number} nowMs by the server's clock
 * @param {(picture: HTMLElement, offer: Offer) => HTMLElement} [frame] what stands around the picture
 */
export function offerCard(offer, nowMs, frame = (bare) => bare) {
  const card = el(
    "article",
    { class: "offer", data: { offer: offer.id } },
    frame(picture(offer), offer),
    el(
      "div",
      { class: "offer__text" },
      el("h3", { class: "offer__title" }, offer.title),
      el("p", { class: "offer__facts" }, el("span", { class: "price" }), el("span", { class: "offer__unit muted" }), el("span", { class: "offer__stock" }), el("span", { class: "offer__limit muted" })),
      el("p", { class: "offer__window", role: "timer", "aria-live": "off", hidden: true }),
    ),
    el(
      "div",
      { class: "offer__buttons" },
      el("button", { class: "round offer__add", type: "button", data: { add: offer.id } }, icon("plus")),
      el("button", { class: "button button--buy offer__buy", type: "button", data: { buy: offer.id } }, gettext("Buy")),
    ),
  );
  updateCard(card, offer, nowMs);
  return card;
}

function picture(offer) {
  if (offer.image_url) {
    return el("img", { class: "offer__picture", ...pictureAt(offer.image_url), alt: "", width: 64, height: 64 });
  }
  return el("span", { class: "offer__picture offer__picture--none" }, icon("apple"));
}

function updateCard(card, offer, nowMs) {
  const stage = stageOf(offer, nowMs);
  const stock = card.querySelector(".offer__stock");
  const left = leftOf(offer);
  if (say(stock, stockText(offer, nowMs)) && stock.dataset.shown) blink(stock);
  stock.dataset.shown = "yes";
  stock.classList.toggle("offer__stock--out", stage === "closed" || left <= 0);
  stock.classList.toggle("offer__stock--few", stage !== "closed" && left > 0 && left <= FEW);
  say(card.querySelector(".price"), money(offer.price_minor, offer.currency));
  say(card.querySelector(".offer__unit"), `/ ${unitText(offer.unit)}`);
  const limit = card.querySelector(".offer__limit");
  say(limit, limitText(offer));
  limit.classList.toggle("offer__limit--reached", isLimitReached(offer));
  const time = card.querySelector(".offer__window");
  say(time, windowText(offer, nowMs));
  show(time, time.textContent !== "");
  card.classList.toggle("offer--waits", stage === "soon" || stage === "waits");
  const mayBuy = stage === "open" && !isLimitReached(offer);
  enable(card.querySelector("[data-buy]"), mayBuy, interpolate(gettext("Buy %s"), [offer.title]));
  enable(card.querySelector("[data-add]"), mayBuy, interpolate(gettext("Put %s into the basket"), [offer.title]));
}

function enable(button, isOpen, label) {
  button.disabled = !isOpen;
  button.setAttribute("aria-label", label);
}

/** @returns {boolean} whether that is another text than before */
function say(element, text) {
  if (element.textContent.trim() === text) return false;
  element.textContent = text;
  return true;
}

function blink(element) {
  element.classList.remove("is-new");
  requestAnimationFrame(() => element.classList.add("is-new"));
}

/** Bring every card on the page up to date. @param {Iterable<Offer>} offers @param {number} nowMs */
export function updateCards(offers, nowMs) {
  for (const offer of offers) {
    for (const card of all(`[data-offer="${CSS.escape(offer.id)}"]`)) updateCard(card, offer, nowMs);
  }
}

/** @param {HTMLElement} place @param {Offer|null} offer the pinned one @param {number} nowMs */
export function showPinned(place, offer, nowMs) {
  place.hidden = offer === null;
  const shown = place.querySelector("[data-offer]");
  if (offer === null) place.replaceChildren();
  else if (shown?.dataset.offer !== offer.id) place.replaceChildren(offerCard(offer, nowMs));
}

/**
 * @param {HTMLElement} list a <ul>; filled again only when other offers are to be in it
 * @param {Offer[]} offers
 * @param {number} nowMs
 * @param {(picture: HTMLElement, offer: Offer) => HTMLElement} [frame]
 */
export function showShelf(list, offers, nowMs, frame) {
  const wanted = offers.map((offer) => offer.id).join();
  if (list.dataset.shows === wanted) return;
  list.dataset.shows = wanted;
  const rows = offers.map((offer) => el("li", {}, offerCard(offer, nowMs, frame)));
  const none = el("li", { class: "muted" }, gettext("Nothing is on sale in this show yet."));
  list.replaceChildren(...(rows.length ? rows : [none]));
}

/**
 * @param {(offerId: string) => void} onBuy for every buy button on the page, now and later
 * @param {(offerId: string) => void} onAdd likewise, for what goes into the basket
 */
export function listenForBuy(onBuy, onAdd) {
  document.addEventListener("click", (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest?.("[data-buy], [data-add]");
    if (!(button instanceof HTMLElement)) return;
    if (button.dataset.buy) onBuy(button.dataset.buy);
    else if (button.dataset.add) onAdd(button.dataset.add);
  });
}
