/** A seller's shop: its goods at their own prices, a basket, and the order sheet of the rooms. */

import { api } from "../livecommerce/api.js";
import { all, one, pageData, show } from "../livecommerce/dom.js";
import { tellCountdowns } from "../livecommerce/server-clock.js";
import { listenForBuy, updateCards } from "../streams/room-offers.js";
import { OrderSheet } from "./order-sheet.js";
import { ShopTime } from "./shop-time.js";

const data = pageData("shop-data");
const goods = new Map(data.goods.map((good) => [good.id, good]));
const time = new ShopTime(data.at_ms, () => [...goods.values()], () => showGoods());
let once = data.again;

const sheet = new OrderSheet({
  name: data.seller_id,
  asks: { seller_id: data.seller_id },
  showId: null,
  lineId: "variant_id",
  signedIn: () => data.signed_in,
  now: () => time.now(),
  good: (id) => goods.get(id),
  goods: () => [...goods.values()],
  place: ({ key, ...order }) => api("POST", "/api/v1/orders", order, { idempotencyKey: key }),
  goodChanged: (good) => {
    goods.set(good.id, good);
    showGoods();
  },
  basketChanged: showBasket,
});

listenForBuy((id) => sheet.open(id), (id) => sheet.add(id));
for (const button of all("[data-basket]")) button.addEventListener("click", () => sheet.openBasket());
setInterval(() => tellCountdowns(time.clock), 1000);
orderAgain();
showGoods();

/** What an earlier order had, once: a reload keeps what became of it. */
function orderAgain() {
  if (!once.length) return;
  const address = new URL(location.href);
  address.searchParams.delete("again");
  history.replaceState(null, "", address);
  sheet.basket.clear();
  for (const { id, quantity } of once) if (goods.has(id)) sheet.add(id, quantity);
  once = [];
  sheet.openBasket();
}

function showGoods() {
  updateCards(goods.values(), time.now());
  showBasket();
  sheet?.refresh();
}

function showBasket() {
  const { pieces, text } = sheet?.sum ?? { pieces: 0, text: "" };
  const label = interpolate(ngettext("Basket: %(count)s thing, %(sum)s", "Basket: %(count)s things, %(sum)s", pieces), { count: pieces, sum: text }, true);
  for (const button of all("[data-basket]")) {
    show(button, pieces > 0);
    one("span", button).textContent = label;
  }
}
