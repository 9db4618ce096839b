/**
 * An order's page and the list of orders, brought up to date while one looks: when the socket tells
 * of a change the part that can change is fetched again, and of it only what is another is replaced.
 * Without scripts the same page comes with a reload.
 */

import { all, one, show } from "../livecommerce/dom.js";
import { showLocalTimes } from "../livecommerce/local-times.js";
import { tellCountdowns } from "../livecommerce/server-clock.js";
import { MySocket, newsOf } from "../streams/my-socket.js";

const TICK_MS = 500;
/** Of several changes at once the page is fetched once. */
const GATHER_MS = 150;
const AGAIN_MS = 4_000;
/** Signed out, or not mine any more: the page itself says so. */
const GONE = new Set([401, 403, 404]);

const part = one("[data-live-page]");
const orderId = part.dataset.order ?? null;
/** A page that answers a form has the form's address. */
const address = part.dataset.address ?? location.href;
let shown = remembered(part);
let timer = 0;

const mine = new MySocket({ onChange, onOpen: () => soon() });
mine.start();
setInterval(tick, TICK_MS);
tick();
dress(part);

function onChange(event) {
  if (orderId && event.data.order_id !== orderId) return;
  one("#order-news").textContent = newsOf(event);
  soon();
}

function tick() {
  tellCountdowns(mine.clock, part);
}

function soon(ms = GATHER_MS) {
  clearTimeout(timer);
  timer = setTimeout(refresh, ms);
}

async function refresh() {
  try {
    const response = await fetch(address, { headers: { "X-Fragment": "page" }, credentials: "same-origin" });
    if (response.redirected || GONE.has(response.status)) return location.assign(address);
    if (response.ok) takeIn(await response.text());
    else soon(AGAIN_MS);
  } catch {
    soon(AGAIN_MS);
  }
}

/** @param {string} html of the same server and template as the page itself */
function takeIn(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  const wanted = remembered(fresh);
  if (wanted.size !== shown.size || [...wanted.keys()].some((id) => !shown.has(id))) replaceAll(fresh);
  else for (const [id, text] of wanted) if (shown.get(id) !== text) replaceOne(one(`#${CSS.escape(id)}`, fresh));
  shown = wanted;
  dress(part);
  tick();
}

/** Another section came or went: the whole part, but for a form that somebody is filling in. */
function replaceAll(fresh) {
  const kept = busyForm();
  part.replaceChildren(...fresh.childNodes);
  const place = kept && part.querySelector(`#${CSS.escape(kept.id)}`);
  if (place) place.replaceWith(kept);
}

function replaceOne(section) {
  const old = one(`#${CSS.escape(section.id)}`, part);
  if (old.contains(busyForm())) return;
  old.replaceWith(section);
}

/** The opened form in which something was typed. @returns {HTMLElement|null} */
function busyForm() {
  return all("details[open][id]", part).find((details) => all("input, textarea", details).some((input) => input.matches(":focus") || isTyped(input))) ?? null;
}

function isTyped(input) {
  return input.type !== "hidden" && (input.files?.length > 0 || (input.value ?? "") !== (input.defaultValue ?? ""));
}

/** What each section says, without what is another each time. @returns {Map<string, string>} */
function remembered(root) {
  return new Map(
    [...root.querySelectorAll("[id]")].filter((element) => isSection(element, root)).map((section) => [section.id, plain(section)]),
  );
}

function isSection(element, root) {
  return ["SECTION", "DETAILS", "DIV"].includes(element.tagName) && !element.parentElement?.closest("section[id], details[id], div[id]:not([data-live-page])");
}

function plain(section) {
  const copy = /** @type {HTMLElement} */ (section.cloneNode(true));
  copy.removeAttribute("open");
  for (const secret of all('input[name="csrfmiddlewaretoken"], [data-copy]', copy)) secret.remove();
  for (const counted of all("time, [data-countdown]", copy)) counted.textContent = "";
  return copy.innerHTML;
}

function dress(root) {
  showLocalTimes(root);
  for (const button of all("[data-copy]", root)) show(button, Boolean(navigator.clipboard));
}

part.addEventListener("click", async ({ target }) => {
  const button = /** @type {HTMLElement} */ (target).closest?.("[data-copy]");
  if (!(button instanceof HTMLElement)) return;
  await navigator.clipboard.writeText(button.dataset.copy ?? "");
  button.textContent = button.dataset.copied ?? "";
});
