/** A film in parts, so that a download goes on where it was cut, and a player can ask for a piece. */

import { FILMS, placeOfPart } from "./places.js";

export const PART_BYTES = 256 * 1024;

/** @param {number} bytes @returns {number} how many parts a film of that size has */
export const partsOf = (bytes) => Math.ceil(bytes / PART_BYTES);

/**
 * Which bytes a Range header means: `[first, last]`, both included; `null` if it cannot be met.
 *
 * @param {string|null} header
 * @param {number} size
 * @returns {[number, number]|null}
 */
export function wanted(header, size) {
  const found = /^bytes=(\d*)-(\d*)$/.exec((header ?? "").trim());
  if (!found || (found[1] === "" && found[2] === "")) return null;
  if (found[1] === "") {
    const last = Number(found[2]);
    return last === 0 || size === 0 ? null : [Math.max(0, size - last), size - 1];
  }
  const first = Number(found[1]);
  const last = found[2] === "" ? size - 1 : Math.min(Number(found[2]), size - 1);
  return first > last || first >= size ? null : [first, last];
}

/**
 * The parts that hold these bytes, and which of each: `[number, from, to]`, `to` excluded.
 *
 * @param {[number, number]} range
 * @returns {[number, number, number][]}
 */
export function pieces([first, last]) {
  const found = [];
  for (let number = Math.floor(first / PART_BYTES); number * PART_BYTES <= last; number += 1) {
    const start = number * PART_BYTES;
    found.push([number, Math.max(first - start, 0), Math.min(last - start + 1, PART_BYTES)]);
  }
  return /** @type {[number, number, number][]} */ (found);
}

/**
 * What the network would have answered to this request; `null` where a part is missing.
 *
 * @param {import("./places.js").Kept} kept
 * @param {string|null} header the request's Range
 * @returns {Promise<Response|null>}
 */
export async function answered(kept, header) {
  const size = kept.media_bytes;
  const headers = { "Content-Type": "video/mp4", "Accept-Ranges": "bytes", "Cache-Control": "no-store" };
  if (header === null) {
    const whole = await bytesOf(kept, [0, size - 1]);
    return whole && new Response(whole, { headers: { ...headers, "Content-Length": String(size) } });
  }
  const range = wanted(header, size);
  if (range === null) return new Response(null, { status: 416, headers: { "Content-Range": `bytes */${size}` } });
  const body = await bytesOf(kept, range);
  if (body === null) return null;
  const [first, last] = range;
  return new Response(body, {
    status: 206,
    statusText: "Partial Content",
    headers: { ...headers, "Content-Range": `bytes ${first}-${last}/${size}`, "Content-Length": String(last - first + 1) },
  });
}

async function bytesOf(kept, range) {
  const cache = await caches.open(FILMS);
  const blobs = [];
  for (const [number, from, to] of pieces(range)) {
    const part = await cache.match(placeOfPart(kept.id, kept.version, number));
    if (!part) return null;
    blobs.push((await part.blob()).slice(from, to));
  }
  return new Blob(blobs);
}

/** @param {import("./places.js").Kept} kept @returns {Promise<Set<number>>} the parts that are here */
export async function partsHere(kept) {
  const cache = await caches.open(FILMS);
  const prefix = placeOfPart(kept.id, kept.version, 0).slice(0, -1);
  const paths = (await cache.keys()).map((one) => new URL(one.url).pathname);
  return new Set(paths.filter((one) => one.startsWith(prefix)).map((one) => Number(one.slice(prefix.length))));
}
