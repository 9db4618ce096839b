// The orders of this show as they come, newest first, each to be marked as packed with one tap.

import { api } from "../livecommerce/api.js";
import { el, icon, one, show } from "../livecommerce/dom.js";
import { clockTime, money } from "../livecommerce/format.js";

const MOST_SHOWN = 200;

export class OrdersPanel {
  #list = one("#orders");
  #error = one("#orders-error");
  #orders = new Map();
  #rows = new Map();

  /** Show `orders` (newest first) as the server has them. */
  reset(orders) {
    this.#orders = new Map(orders.map((order) => [order.id, order]));
    this.#rows = new Map(orders.map((order) => [order.id, this.#row(order, false)]));
    this.#list.replaceChildren(...this.#rows.values());
    this.#changed();
  }

  /** An order as it is now. One that is new goes on top; the same news twice changes nothing. */
  put(order) {
    const known = this.#rows.get(order.id);
    const row = this.#row(order, !known);
    if (known) known.replaceWith(row);
    else this.#list.prepend(row);
    this.#orders.set(order.id, order);
    this.#rows.set(order.id, row);
    while (this.#list.childElementCount > MOST_SHOWN) this.#forgetLast();
    this.#changed();
  }

  #forgetLast() {
    const row = this.#list.lastElementChild;
    this.#orders.delete(row.dataset.order);
    this.#rows.delete(row.dataset.order);
    row.remove();
  }

  #row(order, isNew) {
    const goods = order.lines.map(({ title, quantity }) => `${quantity} × ${title}`).join(", ");
    const details = `${order.number} · ${clockTime(order.placed_at)} · ${delivery(order)}`;
    return el(
      "li",
      { class: isNew ? "order order--new" : "order", data: { order: order.id } },
      el(
        "div",
        { class: "order__text" },
        el("strong", {}, goods),
        el("span", { class: "small" }, `${order.buyer} · `, el("span", { class: "price" }, money(order.total_minor, order.currency))),
        el("span", { class: "muted small" }, details),
        order.note ? el("span", { class: "small order__note" }, `“${order.note}”`) : null,
      ),
      order.state === "placed" ? this.#packButton(order) : stateBadge(order.state),
    );
  }

  #packButton(order) {
    const attributes = { type: "button", class: "button", "aria-label": `${gettext("Packed")}: ${order.number}` };
    const button = el("button", { ...attributes, on: { click: () => this.#pack(order, button) } }, icon("check"), gettext("Packed"));
    return button;
  }

  async #pack(order, button) {
    this.#error.textContent = "";
    button.disabled = true;
    try {
      await api("POST", `/api/v1/orders/${order.id}/moves`, { to: "packed" });
      this.put({ ...this.#orders.get(order.id), state: "packed" });
    } catch (error) {
      button.disabled = false;
      this.#error.textContent = error.message;
    }
  }

  #changed() {
    const waiting = [...this.#orders.values()].filter(({ state }) => state === "placed").length;
    const badge = one("#orders-waiting");
    badge.textContent = String(waiting);
    show(badge, waiting > 0);
    show(one("#orders-empty"), this.#orders.size === 0);
  }
}

function delivery(order) {
  if (order.delivery === "courier") return gettext("by courier");
  return interpolate(gettext("fetched at %s"), [order.place]);
}

function stateBadge(state) {
  const words = {
    packed: gettext("packed"),
    sent: gettext("sent"),
    delivered: gettext("delivered"),
    cancelled: gettext("cancelled"),
  };
  const kind = state === "cancelled" ? "badge--warn" : "badge--ok";
  return el("span", { class: `badge ${kind}` }, words[state] ?? state);
}
