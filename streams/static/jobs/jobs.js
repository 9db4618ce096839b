/**
 * The page of jobs, kept up to date: the socket says that something of mine has changed, and the list
 * is fetched again, at most once a second. Without scripts the same page comes with a reload.
 */

import { all, one } from "../livecommerce/dom.js";
import { showLocalTimes } from "../livecommerce/local-times.js";
import { MySocket } from "../streams/my-socket.js";

const GATHER_MS = 150;
const AT_MOST_EVERY_MS = 900;
const AGAIN_MS = 4_000;
/** Signed out, or no operator any more: the page itself says so. */
const GONE = new Set([401, 403, 404]);

const list = one("#jobs");
let timer = 0;
let fetchedAt = 0;
let isFetching = false;
let isStale = false;

new MySocket({ onChange: () => {}, onOpen: () => soon(), onNow: ({ jobs }) => jobs && soon() }).start();
showLocalTimes(list);

function soon(ms = Math.max(GATHER_MS, fetchedAt + AT_MOST_EVERY_MS - Date.now())) {
  isStale = true;
  clearTimeout(timer);
  timer = setTimeout(refresh, ms);
}

async function refresh() {
  if (isFetching) return;
  isFetching = true;
  isStale = false;
  fetchedAt = Date.now();
  let wait;
  try {
    const response = await fetch(location.pathname, { headers: { "X-Fragment": "jobs" }, credentials: "same-origin" });
    if (response.redirected || GONE.has(response.status)) return location.reload();
    if (response.ok) takeIn(await response.text());
    else wait = AGAIN_MS;
  } catch {
    wait = AGAIN_MS;
  } finally {
    isFetching = false;
  }
  if (wait || isStale) soon(wait);
}

/** @param {string} html of the same template as the page itself */
function takeIn(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  showLocalTimes(fresh);
  const before = new Map(all(".job", list).map((card) => [card.id, card]));
  const news = [];
  for (const card of all(".job", fresh)) {
    const old = before.get(card.id);
    if (!old) continue;
    if (old.dataset.state !== card.dataset.state) news.push(`${card.dataset.name}: ${one("[data-says]", card).textContent}`);
    else if (isInUse(old)) keep(old, card);
  }
  const focused = /** @type {HTMLElement|null} */ (document.activeElement);
  list.replaceChildren(...fresh.childNodes);
  if (focused && list.contains(focused)) focused.focus({ preventScroll: true });
  if (news.length) one("#job-news").textContent = news.join(". ");
}

/** Somebody is about to press a button of it. */
function isInUse(card) {
  return card.contains(document.activeElement) || card.querySelector("details[open]") !== null;
}

/** The buttons stay as they are; only what is told above them is new. */
function keep(old, card) {
  for (const selector of ["details", "form"]) {
    const kept = old.querySelector(selector);
    const place = card.querySelector(selector);
    if (kept && place) place.replaceWith(kept);
  }
}
