/** The time of goods that open and close, by the server's clock and to the moment. */

import { ServerClock, setClock } from "../livecommerce/server-clock.js";

const SECOND_MS = 1_000;
const FAR_MS = 86_400_000;

export class ShopTime {
  clock = new ServerClock();
  #timer = 0;
  #isSet = false;

  /**
   * @param {number} atMs the server's clock when it wrote the page
   * @param {() => import("./terms.js").Good[]} goods
   * @param {() => void} onTick when a countdown says something else, or something opens or closes
   */
  constructor(atMs, goods, onTick) {
    this.goods = goods;
    this.onTick = onTick;
    this.clock.heard(atMs, performance.now()); // so long ago at most
  }

  /** The socket is open; it is asked only where something waits for the time. */
  async connected(client, atMs) {
    this.clock.heard(atMs, SECOND_MS);
    this.#isSet = false;
    await this.#set(client);
  }

  /** Goods have changed: some may wait for the time now. */
  changed(client = null) {
    if (client) this.#set(client);
    this.#wait();
  }

  now() {
    return this.clock.now();
  }

  async #set(client) {
    if (this.#isSet || client.state !== "open" || !this.#edges().length) return;
    this.#isSet = true;
    await setClock(this.clock, client);
    this.#tick();
  }

  /** The moments, of all goods, that are still to come. */
  #edges() {
    const now = this.now();
    const edges = this.goods().flatMap(({ opens_at_ms: opens, closes_at_ms: closes }) => [opens, closes]);
    return edges.filter((edge) => typeof edge === "number" && edge > now && edge - now < FAR_MS);
  }

  #tick() {
    this.onTick();
    this.#wait();
  }

  /** Until the next of these moments, or until a countdown of one shows another second. */
  #wait() {
    clearTimeout(this.#timer);
    const now = this.now();
    const left = this.#edges().map((edge) => edge - now);
    if (!left.length) return;
    const next = Math.min(...left.map((ms) => ms % SECOND_MS || SECOND_MS));
    this.#timer = setTimeout(() => this.#tick(), next + 1);
  }
}
