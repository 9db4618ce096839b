/** What happens to my own orders, on whatever page I am: `/ws/me/` (docs/protocol.md). */

import { ServerClock } from "../livecommerce/server-clock.js";
import { RoomClient } from "./room-client.js";

const ADDRESS = "/ws/me/";
/** A guess of how long the first word of the server was on its way. */
const FIRST_WAY_MS = 500;

/**
 * @typedef {object} MyListener
 * @property {(event: {type: string, data: any}) => void} onChange one of my orders, or its money
 * @property {() => void} onOpen connected anew: what happened before may have been missed
 * @property {(now: {jobs?: number}) => void} [onNow] `jobs` is another number when one of mine changed
 */

export class MySocket {
  clock = new ServerClock();

  /** @param {MyListener} listener */
  constructor({ onChange, onOpen, onNow = () => {} }) {
    this.client = new RoomClient(ADDRESS, {
      onHello: ({ at_ms: atMs, recovered }) => {
        this.clock.heard(atMs, FIRST_WAY_MS);
        if (!recovered) onOpen();
      },
      onEvents: (events) => events.forEach(onChange),
      onNow,
      onState: () => {},
    });
  }

  start() {
    this.client.start();
  }
}

/** @param {{type: string, data: any}} event @returns {string} in words, e.g. "Order 4829-1357: packed" */
export function newsOf({ type, data }) {
  const said = NEWS[type]?.(data);
  return said ? interpolate(gettext("Order %(number)s: %(news)s"), { number: data.number, news: said }, true) : "";
}

/** @type {Record<string, (data: any) => string|undefined>} */
const NEWS = {
  "order.changed": ({ state }) => STATES[state]?.(),
  "payment.changed": ({ state, is_surplus: isSurplus }) => {
    if (state !== "paid") return gettext("the payment did not work");
    return isSurplus ? gettext("a payment came too late, and is paid back") : gettext("your payment has arrived");
  },
  "refund.changed": ({ state }) => (state === "done" ? gettext("money was paid back to you") : undefined),
  "claim.changed": ({ state }) => CLAIMS[state]?.(),
};
const STATES = {
  held: () => gettext("waiting for your payment"),
  placed: () => gettext("ordered, cash on delivery"),
  paid: () => gettext("paid"),
  packed: () => gettext("packed"),
  sent: () => gettext("on its way to you"),
  delivered: () => gettext("delivered"),
  cancelled: () => gettext("cancelled"),
  expired: () => gettext("not paid in time, and given back"),
  refunded: () => gettext("paid back"),
};
const CLAIMS = {
  accepted: () => gettext("the seller gives you money back"),
  declined: () => gettext("the seller has answered you"),
};
