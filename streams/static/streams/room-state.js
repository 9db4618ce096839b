/** What a page knows of a show, and how each event changes it. Pure: no DOM, no network. */

/** @typedef {import("../orders/terms.js").Good} Offer */

/** How many chat lines a page keeps: enough to read back, few enough for a cheap phone. */
const CHAT_KEPT = 200;

/** A message that was brought back, as the `chat.message` that it was. @param {any} event a chat.restored */
export function restoredMessage({ data: { seq, id, at, answered, ...data } }) {
  return { seq, id, at, data, type: "chat.message" };
}

/** Whether one was said before the other. A seq says nothing where the epoch has changed. */
export function wasBefore(one, other) {
  return one.at < other.at || (one.at === other.at && Number(one.seq) < Number(other.seq));
}

export class RoomState {
  /** @type {any} */ show;
  /** @type {Map<string, Offer>} by offer id */ offers = new Map();
  /** @type {Set<string>} ids that never come back: what is put back is another offer */ removed = new Set();
  /** @type {Map<string, number>} how many of each offer whoever looks has ordered */ bought = new Map();
  /** @type {string|null} */ pinnedId = null;
  /** @type {any[]} */ chat = [];
  /** @type {any} */ you = { signed_in: false, id: null, name: null, role: "viewer", muted: false, muted_until: null };
  /** @type {any|null} the message on top of the chat */ pinnedMessage = null;
  /** @type {Set<string>} ids */ answered = new Set();
  slowModeS = 0;
  viewers = 0;
  likes = 0;

  /** @param {any} snapshot as in hello, or as the server wrote it into the page */
  constructor(snapshot) {
    this.load(snapshot);
  }

  /** Begin again from a snapshot. */
  load(snapshot) {
    this.show = snapshot.show;
    this.offers = new Map();
    this.removed = new Set();
    for (const offer of snapshot.offers) this.keepOffer(offer);
    this.pinnedId = null;
    if (snapshot.pinned) this.#pin(snapshot.pinned);
    this.chat = (snapshot.chat ?? []).filter((event) => event.type === "chat.message");
    this.pinnedMessage = snapshot.pinned_message ?? null;
    this.answered = new Set(snapshot.answered ?? []);
    this.slowModeS = snapshot.slow_mode_s ?? 0;
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
   * @returns {"show"|"chat"|"pinned"|"offers"|"you"|null} the part that it changed
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

  /** Of two views of an offer the higher `version` has its terms, the higher `stock_version` its stock. */
  keepOffer(offer) {
    if (this.removed.has(offer.id)) return; // told late, of before
    const known = this.offers.get(offer.id);
    const terms = known && (known.version ?? 0) > (offer.version ?? 0) ? known : offer;
    const stock = known && known.stock_version > offer.stock_version ? known : offer;
    const { available, stock_version } = stock;
    this.offers.set(offer.id, { ...terms, available, stock_version, left: leftOf(terms, available), bought: this.bought.get(offer.id) ?? 0 });
  }

  /** @param {Record<string, number>} bought of each offer, by its id */
  setBought(bought) {
    this.bought = new Map(Object.entries(bought));
    for (const offer of this.offers.values()) offer.bought = this.bought.get(offer.id) ?? 0;
  }

  removeOffer(/** @type {string} */ id) {
    this.removed.add(id);
    this.offers.delete(id);
    if (this.pinnedId === id) this.pinnedId = null;
  }

  /** Facts may arrive twice and out of order: the highest version is the truth. */
  setStock({ variant_id, available, version }) {
    for (const offer of this.offers.values()) {
      if (offer.variant_id !== variant_id || offer.stock_version >= version) continue;
      Object.assign(offer, { available, stock_version: version, left: leftOf(offer, available) });
    }
  }
}

/** What is left of an offer, where so many are in stock. @param {Offer} offer @param {number} available */
function leftOf(offer, available) {
  return typeof offer.quantity === "number" ? Math.min(available, offer.quantity - (offer.sold ?? 0)) : available;
}

const showBecomes = (changes) => (state, event) => {
  Object.assign(state.show, changes(event));
  return "show";
};

/** @type {Record<string, (state: RoomState, event: any) => "show"|"chat"|"pinned"|"offers"|"you"|null>} */
const CHANGES = {
  "show.started": showBecomes((event) => ({ state: "live", interrupted: false, started_at: event.at })),
  "show.interrupted": showBecomes(() => ({ interrupted: true })),
  "show.resumed": showBecomes(() => ({ interrupted: false, state: "live" })),
  "show.ended": showBecomes(({ data }) => ({ state: "ended", interrupted: false, stopped: Boolean(data?.stopped) })),
  "chat.message": (state, event) => {
    state.chat.push(event);
    if (state.chat.length > CHAT_KEPT) state.chat.splice(0, state.chat.length - CHAT_KEPT);
    return "chat";
  },
  "chat.removed": (state, event) => {
    const { id, seq } = event.data; // by its id: a seq may be another message's by now
    state.chat = state.chat.filter((line) => (id && line.id ? line.id !== id : line.seq !== seq));
    return "chat";
  },
  "chat.restored": (state, event) => {
    const message = restoredMessage(event);
    if (state.chat.some(({ id }) => id === message.id)) return null;
    const place = state.chat.findIndex((line) => wasBefore(message, line));
    state.chat.splice(place < 0 ? state.chat.length : place, 0, message);
    if (event.data.answered) state.answered.add(message.id);
    return "chat";
  },
  "chat.answered": (state, event) => {
    state.answered.add(event.data.id);
    return "chat";
  },
  "chat.unanswered": (state, event) => {
    state.answered.delete(event.data.id);
    return "chat";
  },
  "chat.pinned": (state, event) => {
    state.pinnedMessage = event.data;
    return "pinned";
  },
  "chat.unpinned": (state) => {
    state.pinnedMessage = null;
    return "pinned";
  },
  "room.slow_mode": (state, event) => {
    state.slowModeS = event.data.every_s;
    return "you";
  },
  "product.pinned": (state, event) => {
    state.pin(event.data.offer);
    return "offers";
  },
  "product.unpinned": (state) => {
    state.pinnedId = null;
    return "offers";
  },
  "offer.changed": (state, event) => {
    state.keepOffer(event.data.offer);
    return "offers";
  },
  "offer.removed": (state, event) => {
    state.removeOffer(event.data.offer_id);
    return "offers";
  },
  "stock.changed": (state, event) => {
    state.setStock(event.data);
    return "offers";
  },
  "viewer.muted": (state, event) => {
    if (event.data.user_id !== state.you.id) return null;
    state.you = { ...state.you, muted: true, muted_until: event.data.until };
    return "you";
  },
  "viewer.unmuted": (state, event) => {
    if (event.data.user_id !== state.you.id) return null;
    state.you = { ...state.you, muted: false, muted_until: null };
    return "you";
  },
};
