/** In a room: a word when an order of mine moves, without leaving the show. */

import { el, icon } from "../livecommerce/dom.js";
import { MySocket, newsOf } from "./my-socket.js";

const SHOWN_MS = 8_000;

export class MyOrders {
  /** @type {MySocket|null} */ #socket = null;
  #place = el("div", { class: "my-news", role: "status" });
  #onChange;

  /** @param {(event: {type: string, data: any}) => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
    document.body.append(this.#place);
  }

  /** From here on it is worth listening: there is an order that can move. Twice does no harm. */
  listen() {
    if (this.#socket) return;
    this.#socket = new MySocket({ onChange: (event) => this.#tell(event), onOpen: () => {} });
    this.#socket.start();
  }

  #tell(event) {
    this.#onChange(event);
    const news = newsOf(event);
    if (!news) return;
    const toast = el("a", { class: "my-news__one", href: `/orders/${event.data.order_id}/` }, icon("orders"), el("span", {}, news));
    this.#place.append(toast);
    setTimeout(() => toast.remove(), SHOWN_MS);
  }
}
