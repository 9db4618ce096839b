// The console of one show: the room, what only its own people hear, and the host's camera.

import { one, pageData, show } from "../livecommerce/dom.js";
import { count } from "../livecommerce/format.js";
import { RoomClient } from "../streams/room-client.js";
import { restoredMessage } from "../streams/room-state.js";
import { ConnectionBanner } from "../streams/room-status.js";
import { drawReview } from "./approval.js";
import { ChatPanel } from "./chat-panel.js";
import { ChatSheet, QuestionsPanel } from "./chat-sheet.js";
import { Echo } from "./echo.js";
import { FiguresPanel } from "./figures-panel.js";
import { HostStage } from "./host-stage.js";
import { HostVoice } from "./host-voice.js";
import { OrdersPanel } from "./orders-panel.js";
import { PeoplePanel } from "./people-panel.js";
import { ProductsPanel } from "./products-panel.js";
import { showRenditions } from "./renditions-line.js";
import { makeTabs } from "./tabs.js";
import { TimeLimit } from "./time-limit.js";
import { WordsDialog } from "./words-dialog.js";

const { show_id: showId, hosts, longest_show_ms: longestMs, is_rehearsal: isRehearsal, is_practice: isPractice, starts_in_ms: startsInMs } = pageData("studio-data");
const banner = new ConnectionBanner(one("#connection"), "/accounts/login/");
const states = { room: ["connecting", null], studio: ["connecting", null] };

const room = new RoomClient(`/ws/shows/${showId}/`, {
  onHello: ({ snapshot, at_ms: atMs }) => {
    if (snapshot) welcome(snapshot);
    products.connected(room, atMs);
  },
  onEvents: (events) => events.forEach((event) => ROOM[event.type]?.(event)),
  onNow: drawViewers,
  onState: (...state) => drawConnection("room", state),
});
const studio = new RoomClient(`/ws/studio/${showId}/`, {
  onHello: ({ snapshot }) => snapshot && welcomeToStudio(snapshot),
  onEvents: (events) => events.forEach((event) => STUDIO[event.type]?.(event)),
  onNow: () => {},
  onState: (...state) => drawConnection("studio", state),
});
const send = (command, data) => room.send(command, data);

const sheet = new ChatSheet(send, (userId) => people.isHeld(userId));
const chat = new ChatPanel(send, (event) => sheet.open(event));
const questions = new QuestionsPanel((event) => sheet.answer(event));
const people = new PeoplePanel(sheet, send, (held) => chat.held(held));
const products = new ProductsPanel(send, hosts, showId);
const orders = new OrdersPanel();
const figures = new FiguresPanel(showId);
const stage = hosts ? new HostStage(showId, { isRehearsal, isPractice, startsInMs }) : null;
const limit = hosts ? new TimeLimit(longestMs, isRehearsal, isPractice) : null;
const voice = hosts && isPractice ? new HostVoice(send, one("#level")) : null;
const echo = isRehearsal ? new Echo(showId) : null;
if (hosts) new WordsDialog(showId);

const ROOM = {
  "chat.message": (event) => {
    chat.add(event);
    questions.add(event);
  },
  "chat.removed": ({ data }) => {
    chat.remove(data);
    questions.remove(data);
  },
  "chat.restored": (event) => {
    const message = { ...restoredMessage(event), answered: Boolean(event.data.answered) };
    chat.restore(message);
    questions.restore(message);
  },
  "chat.answered": ({ data }) => {
    chat.answered(data, true);
    questions.answered(data, true);
  },
  "chat.unanswered": ({ data }) => {
    chat.answered(data, false);
    questions.answered(data, false);
  },
  "chat.pinned": ({ data }) => chat.pinned(data),
  "chat.unpinned": () => chat.pinned(null),
  "room.slow_mode": ({ data }) => people.slowMode(data.every_s),
  "product.pinned": ({ data }) => products.pin(data.offer.id),
  "product.unpinned": () => products.pin(null),
  "stock.changed": ({ data }) => products.stock(data),
  "offer.changed": ({ data }) => products.changed(room, data.offer),
  "offer.removed": ({ data }) => products.removed(data.offer_id),
  "show.started": ({ at }) => began(at, false),
  "show.interrupted": () => stage?.running({ interrupted: true }),
  "show.resumed": () => stage?.running({ interrupted: false }),
  "show.ended": leave,
};

const STUDIO = {
  "order.placed": ({ data }) => ordered(data.order),
  "order.moved": ({ data }) => ordered(data.order),
  "moderation.done": (event) => people.done(event),
  "show.reviewed": ({ data }) => hosts && drawReview({ standing: data.is_yes ? "free" : "refused", reason: data.reason }),
  "renditions.changed": ({ data }) => showRenditions(data.state),
};

function ordered(order) {
  orders.put(order);
  figures.refresh();
}

function welcome(snapshot) {
  const messages = snapshot.chat.filter(({ type }) => type === "chat.message");
  chat.reset(messages, snapshot.pinned_message);
  for (const id of snapshot.answered ?? []) chat.answered({ id }, true);
  questions.reset(messages, snapshot.answered ?? []);
  products.reset(snapshot.offers, snapshot.pinned?.id ?? null);
  drawViewers(snapshot);
  if (snapshot.show.state === "ended") leave();
  const { started_at: startedAt, interrupted } = snapshot.show;
  if (startedAt) began(startedAt, interrupted);
}

function began(startedAt, interrupted) {
  stage?.running({ startedAt, interrupted });
  limit?.began(startedAt);
  voice?.start();
  echo?.start();
}

function welcomeToStudio(snapshot) {
  if (hosts) drawReview(snapshot.review);
  orders.reset(snapshot.orders);
  figures.reset(snapshot.figures);
  people.reset(snapshot);
  showRenditions(snapshot.renditions);
}

function drawViewers({ viewers }) {
  if (viewers === undefined) return;
  one("#viewer-count").textContent = count(viewers);
  show(one("#viewers"), true);
  figures.viewers(viewers);
}

/** One banner for two lines: the worse of them speaks. */
function drawConnection(line, state) {
  states[line] = state;
  const order = ["closed", "lost", "connecting", "open"];
  const [worst] = Object.values(states).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  banner.tell(...worst);
}

/** The show has ended somewhere (perhaps here): the same address now shows its replay. */
async function leave() {
  echo?.stop();
  voice?.stop();
  if (stage) await stage.leave();
  else location.assign("/studio/");
}

makeTabs(one('[role="tablist"]'), (panel) => panel.id === "panel-chat" && chat.seen());
room.start();
studio.start();
stage?.open();
