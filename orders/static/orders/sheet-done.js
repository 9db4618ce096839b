/** The order is in: its number, how it stands, and what comes next. */

import { el, one, show } from "../livecommerce/dom.js";
import { money } from "../livecommerce/format.js";

/**
 * @typedef {object} Placed
 * @property {string} id
 * @property {string} number
 * @property {string} state "placed", or "held" until it is paid
 * @property {string} url
 * @property {number} total_minor
 * @property {string} currency
 * @property {number|null} held_until_ms
 * @property {string} pickup_code "" if it is brought
 */

/** @param {Placed} order @param {{name: string, address: string, hours: string}|null} point where it is fetched */
export function showDone(order, point) {
  const isHeld = order.state === "held";
  const total = money(order.total_minor, order.currency);
  one("#order-done-title").textContent = isHeld ? gettext("Set aside for you") : gettext("Thank you, your order is in");
  one("#order-summary").textContent = interpolate(gettext("Order %s"), [order.number]);
  one("#order-cash").textContent = isHeld
    ? interpolate(gettext("Please pay %s now. Until then nobody else can buy it:"), [total])
    : interpolate(gettext("You pay %s in cash when you get it. The seller packs it next."), [total]);
  const pickup = one("#order-pickup");
  show(pickup, point !== null);
  if (point) pickup.replaceChildren(...pickupLines(point, order.pickup_code));
  const left = one("#order-left");
  show(left, isHeld && order.held_until_ms !== null);
  left.dataset.countdown = String(order.held_until_ms ?? "");
  const pay = one("#order-pay");
  show(pay, isHeld);
  pay.setAttribute("href", payUrl(order));
  pay.textContent = interpolate(gettext("Pay %s now"), [total]);
  one("#order-link").setAttribute("href", order.url);
  one("#order-link").classList.toggle("button--primary", !isHeld);
}

function pickupLines({ name, address, hours }, code) {
  const lines = [el("strong", {}, name), address, hours, code && interpolate(gettext("Your code: %s"), [code])];
  return lines.filter(Boolean).flatMap((line, place) => (place ? [el("br"), line] : [line]));
}

/** @param {Placed} order */
export function payUrl(order) {
  return `${order.url}pay/`;
}
