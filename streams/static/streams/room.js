/** The live room: it can be read at once, then chats and sells, and then shows the picture. */

import { api } from "../livecommerce/api.js";
import { el, icon, one, show } from "../livecommerce/dom.js";
import { NOT_ALLOWED, goAway } from "./room-away.js";
import { ChatLog, Ticker } from "./room-chat.js";
import { showPinnedMessage } from "./room-care.js";
import { Composer } from "./room-composer.js";
import { RoomPicture } from "./room-picture.js";
import { holdPictures, showPictures } from "./room-pictures.js";
import { RoomPage, showLikes, showViewers } from "./room-page.js";
import { restoredMessage } from "./room-state.js";
import { ConnectionBanner, stageWords } from "./room-status.js";

const LOOK_FOR_REPLAY_MS = 5_000;
/** Where no socket opens, the picture comes all the same. */
const REST_AFTER_MS = 4_000;

holdPictures();
const page = new RoomPage({ onHello, onEvents, onNow, onState });
const { client, data, state } = page;
const chat = new ChatLog(one("#chat"), one("#chat-empty"));
const ticker = new Ticker(one("#ticker"));
const banner = new ConnectionBanner(one("#connection"), data.login_url);
const composer = new Composer(client, state, chat, data);
const stage = one("#stage");
const video = /** @type {HTMLVideoElement} */ (one("#video"));
const player = new RoomPicture(stage, video, one("#unmute"), liveUrl, {
  path: `/ws/live/${data.show_id}/`,
  delay: one("#delay"),
  quality: one("#quality"),
  onFlow: showStage,
});
let nothingRecorded = data.nothing_recorded;
let lookingForReplay = 0;
let shownWords = "";

page.showOffers();
showAll();
client.start();
setTimeout(showRest, REST_AFTER_MS);
const stageTimer = setInterval(showStage, 1000);
video.addEventListener("playing", showStage);
one("#like").addEventListener("click", like);

// From the room

function onHello({ you, snapshot }) {
  state.you = you;
  if (snapshot) {
    state.load(snapshot);
    chat.reset(state.chat, state.answered);
  }
  page.showOffers();
  showAll();
  showRest();
}

/** What needs the line for long: the room chats and sells by now. */
function showRest() {
  showPictures();
  player.load();
}

/** What was left out was said before the newest that is shown. */
function onEvents(events, thinned = 0) {
  if (thinned) chat.addThinned(thinned);
  const changed = new Set(events.map(hear));
  if (changed.has("offers")) page.showOffers();
  if (changed.has("show")) showAll();
  if (changed.has("you")) composer.refresh();
  if (changed.has("pinned")) showPinnedMessage(state.pinnedMessage);
}

function hear(event) {
  if (event.type === "chat.message") {
    composer.heard(event);
    chat.add(event);
  } else if (event.type === "chat.removed") chat.remove(event.data);
  else if (event.type === "chat.restored") chat.restore(restoredMessage(event), event.data.answered);
  else if (event.type === "chat.answered") chat.answered(event.data, true);
  else if (event.type === "chat.unanswered") chat.answered(event.data, false);
  else if (event.type === "notice") chat.addNotice(event);
  else if (event.type === "order.placed") ticker.add(event.data);
  else if (event.type === "replay.ready") openReplay();
  return state.apply(event);
}

function onNow(now) {
  if (now.likes > state.likes) burst(Math.min(6, now.likes - state.likes));
  Object.assign(state, now);
  showNumbers();
}

function onState(connection, code) {
  if (connection === "closed") composer.close();
  if (connection === "closed" && code === NOT_ALLOWED) leave();
  else banner.tell(connection, code);
}

/** The visit is over: no picture is fetched any more either. */
function leave() {
  banner.tell("open", null);
  clearInterval(stageTimer);
  clearInterval(lookingForReplay);
  player.stop();
  goAway(page);
}

// On the page

function showAll() {
  composer.refresh();
  showPinnedMessage(state.pinnedMessage);
  if (state.show.state === "live") player.start();
  if (state.show.state === "ended") waitForReplay();
  showStage();
  showNumbers();
}

function showStage() {
  show(one("#live-badge"), state.show.state === "live" && !state.show.interrupted && !player.isAway);
  const facts = {
    scheduledAt: new Date(data.scheduled_at),
    hasPicture: stage.classList.contains("has-picture"),
    nothingRecorded,
    wasRemoved: data.was_removed,
    isAway: player.isAway,
    isLate: player.isLate,
  };
  const nodes = stageWords(state.show, facts);
  const words = nodes.map((node) => node.textContent).join("\n");
  // Not written again when nothing changed: a screen reader would say it again.
  if (words !== shownWords) one("#status").replaceChildren(...nodes);
  shownWords = words;
}

function showNumbers() {
  showViewers(state.viewers);
  showLikes(state.likes);
}

function burst(hearts) {
  for (let n = 0; n < hearts; n++) {
    const heart = el("span", { class: "heart", on: { animationend: () => heart.remove() } }, icon("heart"));
    setTimeout(() => one("#hearts").append(heart), n * 120);
  }
}

/** A like that got lost is nothing that a person must hear of. */
function like() {
  burst(1);
  client.send("react", { kind: "like" }).catch(() => {});
}

// Pictures

async function playback() {
  return api("GET", data.playback_url);
}

async function liveUrl() {
  return (await playback()).live_url;
}

function waitForReplay() {
  player.stop();
  lookingForReplay ||= setInterval(lookForReplay, LOOK_FOR_REPLAY_MS);
}

/** The room tells when the replay is ready; this is for whoever missed it. */
async function lookForReplay() {
  if (nothingRecorded) return;
  const found = await playback().catch(() => null);
  if (found?.state === "ready") openReplay();
  nothingRecorded = found !== null && found.state === "empty";
}

/** The page is the replay now; whoever is ordering finishes first. */
function openReplay() {
  history.scrollRestoration = "manual"; // the replay is another page: begin at its top
  if (!page.sheet.dialog.open) location.reload();
  else page.sheet.dialog.addEventListener("close", () => location.reload(), { once: true });
}
