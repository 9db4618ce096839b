// The orders of this show, newest first, each to be marked as packed with one tap.

import { api } from "../livecommerce/api.js";
import { el, icon, one, show } from "../livecommerce/dom.js";
import { clockTime, money } from "../livecommerce/format.js";

export class OrdersPanel {
  #list = one("#orders");
  #error = one("#orders-error");
  #known = null;

  /** Show `orders` as the server has them; those that were not there before are marked new. */
  reset(orders) {
    const known = this.#known ?? new Set(orders.map(({ id }) => id));
    this.#list.replaceChildren(...orders.map((order) => this.#row(order, !known.has(order.id))));
    this.#known = new Set(orders.map(({ id }) => id));
    this.#count(orders.filter(({ state }) => state === "placed").length);
    show(one("#orders-empty"), orders.length === 0);
  }

  #row(order, isNew) {
    const goods = order.lines.map(({ title, quantity }) => `${quantity} × ${title}`).join(", ");
    return el(
      "li",
      { class: isNew ? "order order--new" : "order", data: { order: order.id } },
      el(
        "div",
        { class: "order__text" },
        el("strong", {}, goods),
        el("span", { class: "small" }, `${order.buyer} · `, el("span", { class: "price" }, money(order.total_minor, order.currency))),
        el("span", { class: "muted small" }, `${order.number} · ${clockTime(order.placed_at)} · ${order.delivery_text}`),
        order.note ? el("span", { class: "small order__note" }, `“${order.note}”`) : null,
      ),
      order.state === "placed" ? this.#packButton(order) : stateBadge(order),
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
      button.replaceWith(el("span", { class: "badge badge--ok" }, gettext("packed")));
      this.#count(this.#list.querySelectorAll("button").length);
    } catch (error) {
      button.disabled = false;
      this.#error.textContent = error.message;
    }
  }

  #count(waiting) {
    const badge = one("#orders-waiting");
    badge.textContent = String(waiting);
    show(badge, waiting > 0);
  }
}

function stateBadge({ state, state_text: text }) {
  const kind = state === "cancelled" ? "badge--warn" : "badge--ok";
  return el("span", { class: `badge ${kind}` }, text);
}
