/**
 * Shows kept lessons where there is no network, and keeps what is told meanwhile.
 *
 * It answers for what somebody chose to keep and for nothing else; an answer of the API is kept
 * only where it is a file of such a lesson (its captions).
 */

import { answered } from "./films.js";
import { storePage } from "./keeping.js";
import { FEED, FEED_PAGE, FILES, OFFLINE_PAGE, PAGES, lessons } from "./places.js";
import { contact } from "./contact.js";
import { heard, isQuizForm, isReport, ticket, wait } from "./waiting.js";

/** A page that takes longer is shown as it was kept. */
const PATIENCE_MS = 5_000;

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("sync", (event) => event.waitUntil(contact()));
addEventListener("fetch", (event) => {
  const answer = answerTo(event);
  if (answer) event.respondWith(answer);
});

/** @returns {Promise<Response>|null} `null` leaves it to the browser */
function answerTo(event) {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method === "POST" && (isReport(url.pathname) || isQuizForm(url.pathname))) return told(event, url);
  if (request.method !== "GET") return null;
  if (request.mode === "navigate") return page(event, url);
  if (request.destination === "video" || request.headers.has("Range")) return film(request, url);
  if (url.origin !== location.origin) return null;
  return file(request, url);
}

async function told(event, url) {
  const { request } = event;
  const copy = request.clone();
  const at = ticket();
  try {
    const answer = await fetch(request);
    const read = answer.clone();
    if (isReport(url.pathname)) event.waitUntil(copy.text().then((text) => heard(url.pathname, text, read)));
    return answer;
  } catch (error) {
    await wait(url.pathname, copy.headers.get("Content-Type") ?? "", await copy.text(), at);
    registration.sync?.register("learn").catch(() => {}); // refused: the next page does it
    if (isQuizForm(url.pathname)) return Response.redirect(`${OFFLINE_PAGE}?answered`, 303);
    throw error;
  }
}

async function page(event, url) {
  const cache = await caches.open(PAGES);
  const isFeed = url.pathname === FEED;
  const kept = isFeed ? await keptFeed(cache) : await cache.match(url.pathname);
  try {
    const answer = await (kept ? inTime(fetch(event.request)) : fetch(event.request));
    const isSame = answer.ok && !answer.redirected && !url.search;
    if (kept && isSame && !isFeed) event.waitUntil(storePage(url.pathname, answer.clone()).catch(() => {}));
    return answer;
  } catch {
    return kept ?? (await cache.match(OFFLINE_PAGE)) ?? Response.error();
  }
}

/** The feed of what is here; its answers with a network are not kept. */
async function keptFeed(cache) {
  const isAny = (await lessons()).some(({ whole }) => whole);
  return isAny ? cache.match(FEED_PAGE) : undefined;
}

function inTime(answer) {
  const late = new Promise((_done, fail) => setTimeout(() => fail(new Error("late")), PATIENCE_MS));
  return Promise.race([answer, late]);
}

/** Kept films are played from the phone with a network, too: that is what they were kept for. */
async function film(request, url) {
  const kept = (await lessons()).filter((one) => one.whole);
  const range = request.headers.get("Range");
  const own = kept.find((one) => isFilmOf(one, url));
  const answer = own && (await answered(own, range));
  if (answer) return answer;
  try {
    return await fetch(request);
  } catch (error) {
    // The page asks for a sharper form, or for one that was made since: what is here will do.
    const other = kept.find((one) => clipIn(one.media_url) === clipIn(url.href));
    const instead = other && (await answered(other, range));
    if (!instead) throw error;
    return instead;
  }
}

function isFilmOf(kept, url) {
  const own = new URL(kept.media_url, location.origin);
  return own.origin === url.origin && own.pathname === url.pathname;
}

/** All forms of a clip's film are in its folder; where there is none, the address itself. */
const clipIn = (address) => /\/clips\/[0-9a-f-]{36}\//.exec(address)?.[0] ?? address;

async function file(request, url) {
  const cache = await caches.open(FILES);
  if (/^\/static\/v[0-9a-f]{10}\//.test(url.pathname)) {
    return (await cache.match(url.href)) ?? fetch(request);
  }
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await cache.match(url.href);
    if (kept) return kept;
    throw error;
  }
}
