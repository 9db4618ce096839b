/** The replay: chat, pins and orders beside the video at the moment they happened. */

import { attachHls } from "../livecommerce/player.js";
import { all, el, one, show } from "../livecommerce/dom.js";
import { duration } from "../livecommerce/format.js";
import { CaptionsMenu } from "./captions.js";
import { showShape } from "./player-live.js";
import { Moments, chapterAt, nowText } from "./replay-moments.js";
import { ReplayTrack, secondOfLink } from "./replay-track.js";
import { ChatLog, Ticker } from "./room-chat.js";
import { NOT_ALLOWED, goAway } from "./room-away.js";
import { RoomPage } from "./room-page.js";
import { showPictures } from "./room-pictures.js";
import { restoredMessage } from "./room-state.js";
import { Storyboard } from "./storyboard.js";

/** More lines than this at once are a leap: they are shown as a whole, not one after the other. */
const LEAP_LINES = 60;
/** Orders are told as they pass, not those that somebody leapt over. */
const LEAP_S = 4;
const COPIED_MS = 2500;
/** What goes on after the show: the rest of the room is history here. */
const OF_GOODS = new Set(["stock.changed", "offer.changed", "offer.removed"]);
/** Answers after which the page itself says what is the matter. */
const GONE = new Set([401, 403, 404]);

const page = new RoomPage({ onHello, onEvents, onNow: () => {}, onState });
const { data, state } = page;
const video = /** @type {HTMLVideoElement} */ (one("#video"));
const chat = new ChatLog(one("#chat"), one("#chat-empty"));
const ticker = new Ticker(one("#ticker"));
const track = new ReplayTrack(data.entries);
const moments = new Moments({ chapters: data.chapters, sold: data.sold, lengthS: data.playback.duration_s, seek });
let last = 0;
let copiedTimer = 0;
/** @type {import("../livecommerce/player.js").Attached|null} */ let picture = null;

if (data.playback.storyboard_url) new Storyboard(one("#moments-line"), data.playback.storyboard_url, data.playback.duration_s);
new CaptionsMenu(video, data.captions, one("#captions"));
showShape(one("#stage"), video);
page.shareUrl = () => `${new URL(location.pathname, location.href)}?t=${Math.floor(video.currentTime)}`;
page.frame = (image) => image;
showPictures();
page.showOffers = showGoods; // also when an order learns that a price is another one by now
for (const moved of ["timeupdate", "seeking", "seeked"]) video.addEventListener(moved, follow);
one("#share-moment").addEventListener("click", shareMoment);
showGoods();
follow();
page.client.start();
play();

/** Stock goes on changing after the show; everything else of the room is history here. */
function onHello({ you, snapshot }) {
  state.you = you;
  if (snapshot) for (const offer of snapshot.offers) state.keepOffer(offer);
  showGoods();
}

function onEvents(events) {
  for (const event of events) {
    if (OF_GOODS.has(event.type)) state.apply(event);
    if (event.type === "chat.removed") {
      track.remove(event.data);
      chat.remove(event.data);
    }
    if (event.type === "chat.restored") {
      const passed = track.restore(restoredMessage(event));
      if (passed) chat.restore(passed);
    }
    if (event.type === "replay.ready") goOnIfChanged(event.data.duration_s);
  }
  showGoods();
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
  const wanted = secondOfLink(new URLSearchParams(location.search).get("t"));
  if (wanted > 0) video.currentTime = Math.min(wanted, video.duration || wanted);
}

/** @param {number} second @param {{goOn?: boolean}} [options] whether it should play from there */
function seek(second, { goOn = true } = {}) {
  video.currentTime = second;
  moments.moveTo(second);
  if (goOn) video.play().catch(() => {}); // the controls are there for whoever's browser wants a tap
}

/** Its files may have gone to other addresses, or be fewer: then the page is the old one's. */
async function failed(detail) {
  console.warn("the replay does not play:", detail);
  try {
    const response = await fetch(data.playback_url, { credentials: "same-origin" });
    if (GONE.has(response.status)) return location.reload();
    const now = await response.json();
    if (now.replay_url !== data.playback.replay_url) goOnIfChanged(-1);
    else goOnIfChanged(now.duration_s);
  } catch {
    // without network the button below is what there is
  }
  const again = el("button", { class: "button", type: "button", on: { click: () => location.reload() } }, gettext("Try again"));
  one("#status").replaceChildren(el("p", { class: "stage__headline" }, gettext("The replay could not be loaded")), again);
}

function goOnIfChanged(durationS) {
  if (Math.abs(durationS - data.playback.duration_s) < 0.01) return;
  location.replace(page.shareUrl());
}

/** Show what had happened by the second that plays now. */
function follow() {
  const now = video.currentTime;
  const step = track.moveTo(now);
  const leapt = step.restart || Math.abs(now - last) > LEAP_S * Math.max(1, video.playbackRate);
  last = now;
  if (step.restart || step.chat.length > LEAP_LINES) chat.reset(step.chat, track.answered);
  else {
    for (const line of step.chat) chat.add(line);
    for (const { type, data: mark } of step.marks) chat.answered(mark, type === "chat.answered");
  }
  if (!leapt) for (const order of step.orders) ticker.add(order.data);
  moments.moveTo(now);
  nameShare();
  if (track.pinnedId === state.pinnedId) return;
  state.pinnedId = track.pinnedId;
  showGoods();
}

/** The goods as they are now, and where that differs from the moment that one watches. */
function showGoods() {
  RoomPage.prototype.showOffers.call(page);
  for (const card of all("#shelf [data-offer], #shelf-sheet-list [data-offer]")) addTimes(card);
  moments.showPrices(state.offers);
  const chapter = chapterAt(data.chapters, video.currentTime);
  const { text, differs } = chapter ? nowText(chapter, state.offers.get(chapter.offer_id)) : { text: "", differs: false };
  const note = one("#moment-note");
  note.textContent = differs ? `${chapter.title}: ${text}` : "";
  show(note, differs);
}

function addTimes(card) {
  if (card.querySelector(".offer__times")) return;
  const times = moments.timesOf(card.dataset.offer);
  if (times.length) one(".offer__text", card).append(el("p", { class: "offer__times" }, ...times));
}

function nameShare() {
  if (copiedTimer) return;
  const text = interpolate(gettext("Share from %s"), [duration(video.currentTime)]);
  const label = one("#share-moment span");
  if (label.textContent !== text) label.textContent = text;
}

async function shareMoment() {
  const link = { title: state.show.title, url: page.shareUrl() };
  const label = one("#share-moment span");
  try {
    if (navigator.share) return await navigator.share(link);
    await navigator.clipboard.writeText(link.url);
    label.textContent = gettext("Link copied");
  } catch (error) {
    if (error.name === "AbortError") return;
    label.textContent = link.url;
  }
  clearTimeout(copiedTimer);
  copiedTimer = setTimeout(() => {
    copiedTimer = 0;
    nameShare();
  }, COPIED_MS);
}
