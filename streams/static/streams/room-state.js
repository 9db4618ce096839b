/** What a page knows of a show, and how each event changes it. Pure: no DOM, no network. */

/**
 * @typedef {object} Offer
 * @property {string} id
 * @property {string} variant_id
 * @property {string} title
 * @property {number} price_minor
 * @property {string} currency
 * @property {number} available
 * @property {number} stock_version
 * @property {string|null} image_url
 */

/** How many chat lines a page keeps: enough to read back, few enough for a cheap phone. */
const CHAT_KEPT = 200;

export class RoomState {
  /** @type {any} */ show;
  /** @type {Map<string, Offer>} by offer id */ offers = new Map();
  /** @type {string|null} */ pinnedId = null;
  /** @type {any[]} */ chat = [];
  /** @type {any} */ you = { signed_in: false, id: null, name: null, role: "viewer", muted: false };
  viewers = 0;
  likes = 0;

  /** @param {any} snapshot as in hello, or as the server wrote it into the page */
  constructor(snapshot) {
    this.load(snapshot);
  }

  /** Begin again from a snapshot. */
  load(snapshot) {
    this.show = snapshot.show;
    this.offers = new Map(snapshot.offers.map((offer) => [offer.id, offer]));
    this.pinnedId = null;
    if (snapshot.pinned) this.#pin(snapshot.pinned);
    this.chat = (snapshot.chat ?? []).filter((event) => event.type === "chat.message");
    this.viewers = snapshot.viewers ?? 0;
    this.likes = snapshot.likes ?? 0;
  }

  /** @returns {Offer|null} */
  get pinned() {
    return (this.pinnedId && this.offers.get(this.pinnedId)) || null;
  }

  /**
   * Take in one event.
   *
   * @param {import("./room-client.js").RoomEvent} event
   * @returns {"show"|"chat"|"offers"|"you"|null} the part that it changed
   */
  apply(event) {
    const change = CHANGES[event.type];
    return change ? change(this, event) : null;
  }

  /** Put an offer on top, whether it was known or not; keeps the newer stock of the two. */
  #pin(offer) {
    this.keepOffer(offer);
    this.pinnedId = offer.id;
  }

  pin(offer) {
    this.#pin(offer);
  }

  keepOffer(offer) {
    const known = this.offers.get(offer.id);
    const stale = known && known.stock_version > offer.stock_version;
    const stock = stale ? { available: known.available, stock_version: known.stock_version } : {};
    this.offers.set(offer.id, { ...offer, ...stock });
  }

  /** Facts may arrive twice and out of order: the highest version is the truth. */
  setStock({ variant_id, available, version }) {
    for (const offer of this.offers.values()) {
      if (offer.variant_id !== variant_id || offer.stock_version >= version) continue;
      Object.assign(offer, { available, stock_version: version });
    }
  }
}

const showBecomes = (changes) => (state, event) => {
  Object.assign(state.show, changes(event));
  return "show";
};

/** @type {Record<string, (state: RoomState, event: any) => "show"|"chat"|"offers"|"you"|null>} */
const CHANGES = {
  "show.started": showBecomes((event) => ({ state: "live", interrupted: false, started_at: event.at })),
  "show.interrupted": showBecomes(() => ({ interrupted: true })),
  "show.resumed": showBecomes(() => ({ interrupted: false, state: "live" })),
  "show.ended": showBecomes(() => ({ state: "ended", interrupted: false })),
  "chat.message": (state, event) => {
    state.chat.push(event);
    if (state.chat.length > CHAT_KEPT) state.chat.splice(0, state.chat.length - CHAT_KEPT);
    return "chat";
  },
  "chat.removed": (state, event) => {
    state.chat = state.chat.filter((line) => line.seq !== event.data.seq);
    return "chat";
  },
  "product.pinned": (state, event) => {
    state.pin(event.data.offer);
    return "offers";
  },
  "product.unpinned": (state) => {
    state.pinnedId = null;
    return "offers";
  },
  "stock.changed": (state, event) => {
    state.setStock(event.data);
    return "offers";
  },
  "viewer.muted": (state, event) => {
    if (event.data.user_id !== state.you.id) return null;
    state.you = { ...state.you, muted: true };
    return "you";
  },
};
