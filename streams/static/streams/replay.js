/** The replay: chat, pins and orders beside the video at the moment they happened. */

import { attachHls } from "../livecommerce/player.js";
import { el, icon, one } from "../livecommerce/dom.js";
import { duration } from "../livecommerce/format.js";
import { showShape } from "./player-live.js";
import { ReplayTrack } from "./replay-track.js";
import { ChatLog, Ticker } from "./room-chat.js";
import { NOT_ALLOWED, goAway } from "./room-away.js";
import { RoomPage } from "./room-page.js";
import { restoredMessage } from "./room-state.js";

const page = new RoomPage({ onHello, onEvents, onNow: () => {}, onState });
const { data, state } = page;
const video = /** @type {HTMLVideoElement} */ (one("#video"));
const chat = new ChatLog(one("#chat"), one("#chat-empty"));
const ticker = new Ticker(one("#ticker"));
const track = new ReplayTrack(data.entries);
/** @type {import("../livecommerce/player.js").Attached|null} */ let picture = null;

showShape(one("#stage"), video);
page.shareUrl = () => `${new URL(location.pathname, location.href)}?t=${Math.floor(video.currentTime)}`;
video.addEventListener("timeupdate", follow);
video.addEventListener("seeked", follow);
page.showOffers(chapter);
page.client.start();
play();

/** Stock goes on changing after the show; everything else of the room is history here. */
function onHello({ you, snapshot }) {
  state.you = you;
  if (snapshot) for (const offer of snapshot.offers) state.keepOffer(offer);
  page.showOffers(chapter);
}

function onEvents(events) {
  for (const event of events) {
    if (event.type === "stock.changed") state.apply(event);
    if (event.type === "chat.removed") {
      track.remove(event.data);
      chat.remove(event.data);
    }
    if (event.type === "chat.restored") {
      const passed = track.restore(restoredMessage(event));
      if (passed) chat.restore(passed);
    }
  }
  page.showOffers(chapter);
}

function onState(connection, code) {
  if (connection !== "closed" || code !== NOT_ALLOWED) return;
  picture?.detach();
  video.pause();
  goAway(page);
}

async function play() {
  video.addEventListener("loadedmetadata", startAtLink, { once: true });
  try {
    picture = await attachHls(video, data.playback.replay_url, { onError: failed });
  } catch (error) {
    failed(String(error));
  }
}

function startAtLink() {
  const wanted = Number(new URLSearchParams(location.search).get("t"));
  if (wanted > 0) video.currentTime = Math.min(wanted, video.duration || wanted);
}

function failed(detail) {
  console.warn("the replay does not play:", detail);
  const again = el("button", { class: "button", type: "button", on: { click: () => location.reload() } }, gettext("Try again"));
  one("#status").replaceChildren(el("p", { class: "stage__headline" }, gettext("The replay could not be loaded")), again);
}

/** Show what had happened by the second that plays now. */
function follow() {
  const step = track.moveTo(video.currentTime);
  if (step.restart) chat.reset(step.chat);
  else for (const line of step.chat) chat.add(line);
  if (!step.restart) for (const order of step.orders) ticker.add(order.data);
  const pinned = track.pinnedId !== state.pinnedId;
  state.pinnedId = track.pinnedId;
  if (pinned) page.showOffers(chapter);
}

/** Around the picture of an offer that was shown: a button that jumps to that moment. */
function chapter(image, offer) {
  const start = track.firstPinned(offer.id);
  if (start === null) return image;
  const label = interpolate(gettext("Play from %(time)s: %(title)s"), { time: duration(start), title: offer.title }, true);
  const jump = () => {
    video.currentTime = start;
    video.play().catch(() => {}); // the controls are there for whoever's browser wants a tap
  };
  const time = el("span", { class: "offer__time number" }, icon("play"), duration(start));
  return el("button", { class: "offer__jump", type: "button", data: { second: start }, "aria-label": label, on: { click: jump } }, image, time);
}
