/**
 * A seller's page of one order, while it is open: money that is asked back appears by itself, and
 * goes when the buyer no longer asks or a colleague has answered. The rest of the page stays as it is.
 */

import { one } from "../livecommerce/dom.js";
import { showLocalTimes } from "../livecommerce/local-times.js";
import { MySocket } from "../streams/my-socket.js";

const PARTS = ["#open-claim", "#answered-claims"];
const MOVES = new Set(["shop.claim_changed", "claim.changed"]);
const { order, address } = one("#open-claim").dataset;
const AGAIN_MS = 4_000;

new MySocket({
  onChange: ({ type, data }) => MOVES.has(type) && data.order_id === order && refresh(),
  onOpen: refresh,
}).start();

async function refresh() {
  try {
    const answer = await fetch(String(address), { credentials: "same-origin" });
    if (answer.ok && !answer.redirected) takeIn(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    setTimeout(refresh, AGAIN_MS);
  }
}

/** Nothing is touched while the same is asked: an answer may be half written. @param {Document} fresh */
function takeIn(fresh) {
  const asked = one("#open-claim", fresh).dataset.claim;
  if (one("#open-claim").dataset.claim === asked) return;
  for (const part of PARTS) one(part).replaceWith(document.importNode(one(part, fresh), true));
  showLocalTimes(one(".packing"));
  one("#order-news").textContent = asked ? gettext("The buyer asks for money back.") : gettext("The buyer no longer asks for money back, or it is answered.");
}
