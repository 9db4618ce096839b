/** Keeping a lesson on the phone, and letting it go. */

import { PART_BYTES, partsHere, partsOf } from "./films.js";
import {
  FILES, FILMS, FORGOTTEN, LESSONS, OFFLINE_PAGE, OWNER, PAGES, lesson, lessons, owner, placeOf, placeOfPart, write,
} from "./places.js";

/** Of the phone's space this much stays free: a full one lets go of all of a site at once. */
const SPARE_BYTES = 20 * 1024 * 1024;
const IN_PAGE = /(?:src|href|poster)="(\/(?:static|jsi18n|media)\/[^"#]+)/g;
const IN_SCRIPT = /\b(?:from\s*|import\s*\(?\s*)"(\.[^"]+\.js)"/g;
const IN_STYLE = /url\(["']?([^"')]+)["']?\)/g;

/** There is no room: `needed` and `free` in bytes. */
export class NoRoom extends Error {
  constructor(needed, free) {
    super("no room");
    this.name = "NoRoom";
    this.needed = needed;
    this.free = free;
  }
}

/** The network went away, or the server said no. What came stays. */
export class Cut extends Error {}

/**
 * Fetch what is missing of a lesson. Called again, it goes on where it was cut.
 *
 * @param {any} found the server's answer about the lesson
 * @param {(bytes: number, of: number) => void} onProgress
 * @returns {Promise<void>}
 * @throws {NoRoom|Cut}
 */
export async function keep(found, onProgress) {
  if ((await owner()) !== found.person) await forgetAll();
  const before = await lesson(found.id);
  if (before && before.version !== found.version) await remove(found.id);
  const kept = { ...found, bytes: 0, whole: false };
  const here = await partsHere(kept);
  await room(found.media_bytes - here.size * PART_BYTES);
  await write(LESSONS, OWNER, found.person);
  await write(LESSONS, placeOf(found.id), { ...kept, bytes: bytesOf(kept, here) });
  await film(kept, here, onProgress);
  const seen = new Set();
  for (const page of kept.pages) await keepPage(page, seen);
  await Promise.all(kept.files.map((file) => keepFile(file, seen)));
  await write(LESSONS, placeOf(found.id), { ...kept, bytes: kept.media_bytes, whole: true });
}

async function room(needed) {
  const { quota = Infinity, usage = 0 } = (await navigator.storage?.estimate?.()) ?? {};
  const free = Math.max(0, quota - usage - SPARE_BYTES);
  if (needed > free) throw new NoRoom(needed, free);
}

async function film(kept, here, onProgress) {
  const cache = await caches.open(FILMS);
  for (let number = 0; number < partsOf(kept.media_bytes); number += 1) {
    if (here.has(number)) continue;
    const first = number * PART_BYTES;
    const last = Math.min(first + PART_BYTES, kept.media_bytes) - 1;
    const answer = await get(kept.media_url, { headers: { Range: `bytes=${first}-${last}` } });
    const part = await bytesIn(answer, first, last);
    await put(cache, placeOfPart(kept.id, kept.version, number), new Response(part), kept.media_bytes);
    here.add(number);
    onProgress(bytesOf(kept, here), kept.media_bytes);
    await write(LESSONS, placeOf(kept.id), { ...kept, bytes: bytesOf(kept, here) });
  }
}

/** A server or a proxy that knows no ranges sends all of it. */
async function bytesIn(answer, first, last) {
  let whole;
  try {
    whole = await answer.arrayBuffer();
  } catch (error) {
    throw new Cut(error.message);
  }
  const part = answer.status === 206 ? whole : whole.slice(first, last + 1);
  if (part.byteLength !== last - first + 1) throw new Cut("a part is not as long as it should be");
  return part;
}

function bytesOf(kept, here) {
  return Math.min(kept.media_bytes, here.size * PART_BYTES);
}

async function put(cache, place, response, needed) {
  try {
    await cache.put(place, response);
  } catch (error) {
    if (error.name !== "QuotaExceededError") throw error;
    throw new NoRoom(needed, 0);
  }
}

async function get(url, options = {}) {
  const answer = await fetched(url, options);
  if (!answer.ok) throw new Cut(`${answer.status}`);
  return answer;
}

async function fetched(url, options = {}) {
  try {
    return await fetch(url, { credentials: "same-origin", cache: "no-store", ...options });
  } catch (error) {
    throw new Cut(error.message);
  }
}

/** A page as this person sees it, with the scripts and style sheets that it needs. @throws {NoRoom|Cut} */
export async function keepPage(path, seen = new Set()) {
  const answer = await get(path);
  if (answer.redirected) throw new Cut(`${path} is somewhere else now`);
  await storePage(path, answer, seen);
}

/**
 * @param {string} path
 * @param {Response} answer to a request for it, not read yet
 * @param {Set<string>} [seen] files that were asked for already, by their addresses
 */
export async function storePage(path, answer, seen = new Set()) {
  const html = await answer.clone().text();
  const cache = await caches.open(PAGES);
  await put(cache, path, answer, html.length);
  const found = [...html.matchAll(IN_PAGE)].map((one) => one[1].replaceAll("&amp;", "&"));
  await Promise.all(found.filter((one) => !isFilm(one)).map((one) => keepFile(one, seen)));
}

const isFilm = (path) => /\.(mp4|m4s|m3u8|mov|webm)(\?|$)/.test(path);
const isLasting = (path) => /^\/static\/v[0-9a-f]{10}\//.test(path);

/** A file, and those that it needs in its turn. */
async function keepFile(path, seen) {
  const url = new URL(path, location.origin);
  if (seen.has(url.href) || url.origin !== location.origin) return;
  seen.add(url.href);
  const cache = await caches.open(FILES);
  const known = isLasting(url.pathname) ? await cache.match(url.href) : undefined;
  const answer = known ?? (await fetched(url.href));
  if (!answer.ok) return; // the lesson plays without a picture that is gone
  if (!known) await put(cache, url.href, answer.clone(), 0);
  const kind = answer.headers.get("Content-Type") ?? "";
  const pattern = kind.includes("javascript") ? IN_SCRIPT : kind.includes("css") ? IN_STYLE : null;
  if (!pattern) return;
  const needed = [...(await answer.text()).matchAll(pattern)].map((one) => one[1]);
  const files = needed.filter((one) => !one.startsWith("data:"));
  await Promise.all(files.map((one) => keepFile(new URL(one, url).href, seen)));
}

/** Let go of one lesson: its film and pages. What was watched of it still waits to be told. */
export async function remove(id) {
  const gone = await lesson(id);
  await (await caches.open(LESSONS)).delete(placeOf(id));
  const films = await caches.open(FILMS);
  const prefix = placeOfPart(id, "", 0).slice(0, -2);
  for (const one of await films.keys()) {
    if (new URL(one.url).pathname.startsWith(prefix)) await films.delete(one);
  }
  if (!gone) return;
  const needed = new Set((await lessons()).flatMap((one) => one.pages).concat(OFFLINE_PAGE));
  const pages = await caches.open(PAGES);
  for (const page of gone.pages) if (!needed.has(page)) await pages.delete(page);
}

/** Let go of everything that somebody could see; whose phone it is now is not known. */
export async function forgetAll() {
  for (const name of FORGOTTEN) await caches.delete(name);
}
