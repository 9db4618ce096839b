/** Where on the phone things are kept. Shared by the pages and the worker: no DOM here. */

/** Every name begins with "learn-": that is how all of it is found again, and deleted. */
export const LESSONS = "learn-lessons";
export const FILMS = "learn-films";
export const PAGES = "learn-pages";
export const FILES = "learn-files";
/** Outlives signing out: only the person who watched can send it. */
export const WAITING = "learn-waiting";
export const FORGOTTEN = [LESSONS, FILMS, PAGES, FILES];

const PLACE = "/learn/offline/kept/";
export const OWNER = `${PLACE}owner`;
export const OFFLINE_PAGE = "/learn/offline/";
export const FEED = "/learn/";
/** What is shown at `FEED` without a network. */
export const FEED_PAGE = "/learn/offline/feed/";

/** @param {string} id @returns {string} the address under which a lesson's record is kept */
export const placeOf = (id) => `${PLACE}lessons/${id}`;
/** @param {string} id @param {string} version @param {number} number */
export const placeOfPart = (id, version, number) => `${PLACE}films/${id}/${version}/${number}`;
export const placeOfWaiting = (id) => `${PLACE}waiting/${id}`;

/**
 * @typedef {object} Kept a lesson on this phone
 * @property {string} id
 * @property {string} title
 * @property {string} course_title
 * @property {string} url
 * @property {string[]} pages
 * @property {string[]} files
 * @property {string} media_url
 * @property {number} media_bytes
 * @property {string} version
 * @property {number} bytes of the film that are here
 * @property {boolean} whole
 *
 * What the feed shows; a lesson that was kept before the feed played it has none of this:
 * @property {string} [course_url]
 * @property {string} [poster_url]
 * @property {{language: string, name: string, url: string}[]} [captions]
 * @property {boolean} [joined]
 * @property {[number, number][]} [intervals]
 * @property {number} [required_s]
 * @property {number} [resume_s]
 */

/** @param {string} cache @param {string} place @returns {Promise<any>} what was put there, or `null` */
export async function read(cache, place) {
  const found = await (await caches.open(cache)).match(place);
  return found ? found.json() : null;
}

/** @param {string} cache @param {string} place @param {any} value of JSON types */
export async function write(cache, place, value) {
  const headers = { "Content-Type": "application/json" };
  await (await caches.open(cache)).put(place, new Response(JSON.stringify(value), { headers }));
}

/** @returns {Promise<Kept[]>} in the order in which they were chosen */
export async function lessons() {
  const cache = await caches.open(LESSONS);
  const places = (await cache.keys()).filter((one) => new URL(one.url).pathname.startsWith(placeOf("")));
  const found = await Promise.all(places.map((one) => cache.match(one)));
  return Promise.all(found.filter((one) => one !== undefined).map((one) => one.json()));
}

export const lesson = (id) => read(LESSONS, placeOf(id));
export const owner = () => read(LESSONS, OWNER);
