// The host's console: the camera, the room and the orders of one show, put together.

import { api } from "../livecommerce/api.js";
import { one, pageData, show } from "../livecommerce/dom.js";
import { count } from "../livecommerce/format.js";
import { RoomClient } from "../streams/room-client.js";
import { ChatPanel } from "./chat-panel.js";
import { OrdersPanel } from "./orders-panel.js";
import { ProductsPanel } from "./products-panel.js";
import { Stage } from "./stage.js";
import { makeTabs } from "./tabs.js";

const ORDERS_PAUSE_MS = 500;

const { show_id: showId } = pageData("studio-data");
const socketRoot = location.origin.replace("http", "ws");
const stage = new Stage(`${socketRoot}/ws/ingest/${showId}/`);
const room = new RoomClient(`/ws/shows/${showId}/`, {
  onHello: ({ snapshot }) => snapshot && welcome(snapshot),
  onEvents: (events) => events.forEach(hear),
  onNow: drawViewers,
  onState: (state) => document.body.toggleAttribute("data-room-lost", state === "lost"),
});
const send = (command, data) => room.send(command, data);
const chat = new ChatPanel(send);
const products = new ProductsPanel(send);
const orders = new OrdersPanel();

const EFFECTS = {
  "chat.message": (event) => chat.add(event),
  "chat.removed": ({ data }) => chat.remove(data.seq),
  "viewer.muted": ({ data }) => chat.muted(data.user_id),
  "product.pinned": ({ data }) => products.pin(data.offer.id),
  "product.unpinned": () => products.pin(null),
  "stock.changed": ({ data }) => products.stock(data),
  "order.placed": () => refreshOrders(),
  "show.started": ({ at }) => running({ startedAt: at, interrupted: false }),
  "show.interrupted": () => running({ interrupted: true }),
  "show.resumed": () => running({ interrupted: false }),
  "show.ended": () => leave(),
};

function hear(event) {
  EFFECTS[event.type]?.(event);
}

function welcome(snapshot) {
  chat.reset(snapshot.chat.filter(({ type }) => type === "chat.message"));
  products.reset(snapshot.offers, snapshot.pinned?.id ?? null);
  drawViewers(snapshot);
  if (snapshot.show.state === "ended") leave();
  const { started_at: startedAt, interrupted } = snapshot.show;
  if (startedAt) running({ startedAt, interrupted });
  refreshOrders();
}

function running(news) {
  stage.know(news);
  show(one("#end-show"), true);
}

function drawViewers({ viewers }) {
  if (viewers === undefined) return;
  one("#viewer-count").textContent = count(viewers);
  show(one("#viewers"), true);
}

let ordersTimer = 0;

// The room is told who bought only as "L**": the rest is asked for, once for a burst of orders.
function refreshOrders() {
  clearTimeout(ordersTimer);
  ordersTimer = setTimeout(loadOrders, ORDERS_PAUSE_MS);
}

async function loadOrders() {
  const error = one("#orders-error");
  try {
    const state = await api("GET", `/api/v1/shows/${showId}/studio`);
    orders.reset(state.orders);
    error.textContent = "";
  } catch (problem) {
    error.textContent = problem.message;
  }
}

let isEnding = false;

/** The show has ended somewhere (perhaps here): the same address now shows its replay. */
async function leave() {
  if (isEnding) return;
  isEnding = true;
  await stage.finish();
  location.reload();
}

async function endShow() {
  isEnding = true;
  tellEnding(gettext("Sending the last seconds…"));
  one("#end-yes").disabled = true;
  await stage.finish();
  try {
    await api("POST", `/api/v1/shows/${showId}/end`);
    location.reload();
  } catch (problem) {
    isEnding = false;
    one("#end-yes").disabled = false;
    tellEnding(problem.message);
  }
}

function tellEnding(text) {
  one("#ending").textContent = text;
  show(one("#ending"), true);
}

async function copyCommand() {
  const [button, command] = [one("#copy-command"), one("#command")];
  try {
    await navigator.clipboard.writeText(command.textContent);
    button.textContent = gettext("Copied");
  } catch {
    // No clipboard outside a secure context: select it, so that one can copy by hand.
    getSelection().selectAllChildren(command);
  }
}

const endDialog = one("#end-dialog");
one("#end-show").addEventListener("click", () => endDialog.showModal());
one("#end-no").addEventListener("click", () => endDialog.close());
one("#end-yes").addEventListener("click", endShow);
one("#copy-command").addEventListener("click", copyCommand);
makeTabs(one('[role="tablist"]'), (panel) => panel.id === "panel-chat" && chat.seen());
room.start();
stage.open();
loadOrders();
