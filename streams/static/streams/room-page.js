/** What the room and the replay share: the page's data, its goods, ordering and sharing. */

import { api } from "../livecommerce/api.js";
import { all, one, pageData, show } from "../livecommerce/dom.js";
import { count } from "../livecommerce/format.js";
import { OrderSheet } from "../orders/order-sheet.js";
import { ShopTime } from "../orders/shop-time.js";
import { tellCountdowns } from "../livecommerce/server-clock.js";
import { MyOrders } from "./my-orders.js";
import { RoomClient } from "./room-client.js";
import { listenForBuy, showPinned, showShelf, updateCards } from "./room-offers.js";
import { RoomState } from "./room-state.js";

/** Errors after which the same order is asked for by HTTP: its key makes that safe. */
const NO_ANSWER = new Set(["connection_lost", "timeout"]);
/** Orders in these states hold nothing. */
const GONE = new Set(["cancelled", "expired"]);

export class RoomPage {
  /** @type {((picture: HTMLElement, offer: any) => HTMLElement)|undefined} */ frame = undefined;

  /** @param {import("./room-client.js").Listener} listener */
  constructor(listener) {
    this.data = pageData("room-data");
    this.state = new RoomState(this.data.snapshot);
    this.state.you = this.data.you;
    this.state.setBought(this.data.bought);
    this.client = new RoomClient(this.data.socket_path, { ...listener, onHello: (hello) => this.#hello(hello, listener) });
    this.time = new ShopTime(this.data.at_ms, () => [...this.state.offers.values()], () => this.#tick());
    this.mine = new MyOrders((event) => this.#moved(event));
    this.sheet = new OrderSheet(this.#shop());
    this.shelfSheet = /** @type {HTMLDialogElement} */ (one("#shelf-sheet"));
    listenForBuy((offerId) => this.#buy(offerId), (offerId) => this.sheet.add(offerId));
    for (const button of all("[data-basket]")) button.addEventListener("click", () => this.#openBasket());
    setInterval(() => tellCountdowns(this.time.clock), 1000);
    if (this.data.has_orders) this.mine.listen();
    this.#listenForShelf();
    one("#share").addEventListener("click", () => this.share());
  }

  /**
   * Bring everything that shows goods up to date.
   *
   * With a `frame` around each picture of the whole list, the replay's, the pinned offer is listed
   * a second time beside itself.
   */
  showOffers() {
    const { frame } = this;
    const offers = [...this.state.offers.values()];
    const beside = frame ? offers : offers.filter((offer) => offer.id !== this.state.pinnedId);
    const now = this.time.now();
    showPinned(one("#pinned"), this.state.pinned, now);
    showShelf(one("#shelf"), beside, now, frame);
    showShelf(one("#shelf-sheet-list"), offers, now, frame);
    // Where all there is to buy is pinned, the list beside it would say that there is nothing.
    show(one(".shelf"), beside.length > 0 || offers.length === 0);
    updateCards(offers, now);
    one("#offer-count").textContent = String(offers.length);
    this.#showBasket();
    this.sheet.refresh();
    this.time.changed(this.client);
  }

  /** Nothing can be bought here any more. */
  close() {
    for (const dialog of [this.shelfSheet, this.sheet.dialog]) if (dialog.open) dialog.close();
    one(".menu").removeAttribute("open");
  }

  /** What is shared; the replay adds the moment. */
  shareUrl() {
    return new URL(location.pathname, location.href).href;
  }

  async share() {
    const link = { title: this.state.show.title, url: this.shareUrl() };
    const label = one("#share span");
    try {
      if (navigator.share) await navigator.share(link);
      else await navigator.clipboard.writeText(link.url);
      label.textContent = gettext("Link copied");
    } catch (error) {
      if (error.name !== "AbortError") label.textContent = link.url;
    }
  }

  #shop() {
    return {
      name: this.data.show_id,
      asks: { show_id: this.data.show_id },
      showId: this.data.show_id,
      lineId: /** @type {"offer_id"} */ ("offer_id"),
      signedIn: () => this.state.you.signed_in,
      now: () => this.time.now(),
      good: (id) => this.state.offers.get(id),
      goods: () => [...this.state.offers.values()],
      place: (order) => this.#place(order),
      goodChanged: (offer) => {
        this.state.keepOffer(offer);
        this.showOffers();
      },
      basketChanged: () => this.#showBasket(),
      placed: (order, lines) => this.#placed(lines),
    };
  }

  /** What was just ordered counts for the limits, until the server says otherwise. */
  #placed(lines) {
    this.mine.listen();
    const bought = Object.fromEntries(this.state.bought);
    for (const { offer_id: id, quantity } of lines) bought[id] = (bought[id] ?? 0) + quantity;
    this.state.setBought(bought);
    this.showOffers();
  }

  /** What is cancelled or not paid in time can be bought anew. */
  async #moved({ type, data }) {
    if (type !== "order.changed" || !GONE.has(data.state)) return;
    const checkout = await api("GET", `/api/v1/checkout?show_id=${this.data.show_id}`).catch(() => null);
    if (!checkout) return; // the server counts again when somebody orders
    this.state.setBought(checkout.bought);
    this.showOffers();
  }

  #hello(hello, listener) {
    listener.onHello(hello);
    this.time.connected(this.client, hello.at_ms);
  }

  #tick() {
    updateCards(this.state.offers.values(), this.time.now());
    this.sheet.refresh();
  }

  #showBasket() {
    const { pieces, text } = this.sheet?.sum ?? { pieces: 0, text: "" };
    const label = interpolate(ngettext("Basket: %(count)s thing, %(sum)s", "Basket: %(count)s things, %(sum)s", pieces), { count: pieces, sum: text }, true);
    for (const button of all("[data-basket]")) {
      show(button, pieces > 0);
      one("span", button).textContent = label;
    }
  }

  #openBasket() {
    if (this.shelfSheet.open) this.shelfSheet.close();
    this.sheet.openBasket();
  }

  async #place(order) {
    if (this.client.state !== "open") return this.#placeByHttp(order);
    try {
      return (await this.client.send("order.place", order, { keep: true })).order;
    } catch (error) {
      if (NO_ANSWER.has(error.code)) return this.#placeByHttp(order);
      throw error;
    }
  }

  #placeByHttp({ key, ...order }) {
    const body = { show_id: this.data.show_id, ...order };
    return api("POST", "/api/v1/orders", body, { idempotencyKey: key });
  }

  #buy(offerId) {
    if (this.shelfSheet.open) this.shelfSheet.close();
    this.sheet.open(offerId);
  }

  #listenForShelf() {
    one("#open-shelf").addEventListener("click", () => this.shelfSheet.showModal());
    one("[data-close]", this.shelfSheet).addEventListener("click", () => this.shelfSheet.close());
    this.shelfSheet.addEventListener("click", (event) => {
      if (event.target === this.shelfSheet) this.shelfSheet.close();
    });
  }
}

/** @param {number} viewers */
export function showViewers(viewers) {
  const text = interpolate(ngettext("%s watching", "%s watching", viewers), [count(viewers)]);
  one("#viewers").textContent = viewers > 0 ? text : "";
}

/** @param {number} likes */
export function showLikes(likes) {
  const element = one("#likes");
  element.textContent = count(likes);
  show(element, likes > 0);
}
