/**
 * What was done without a network and waits to be told: watched stretches and answers to quizzes.
 *
 * One entry for one text: the same told twice is one. The server counts what it hears twice once,
 * so that an entry is deleted only when the server has taken it in, and is told again while in
 * doubt. What it refuses stays, with the reason, until the person removes it.
 */

import { WAITING, owner, placeOfWaiting, read } from "./places.js";

const REPORT = /^\/api\/v1\/lessons\/[^/]+\/(watched|quiz\/answers)$/;
const QUIZ_FORM = /^\/learn\/[^/]+\/[^/]+\/quiz\/$/;
/** Refusals that another time may not meet: no session now, too early, too much. */
const LATER = new Set([401, 403, 408, 425, 429]);
const KEY = "form_key";

/** @param {string} path @returns {boolean} */
export const isReport = (path) => REPORT.test(path);
/** @param {string} path @returns {boolean} */
export const isQuizForm = (path) => QUIZ_FORM.test(path);

/** Requests are told in the order in which they were made, also two of the same moment. */
let last = 0;
export function ticket() {
  last = Math.max(last + 1, Date.now());
  return last;
}

/**
 * Keep a request that could not be sent. Nothing is kept for nobody.
 *
 * @param {string} path
 * @param {string} type its Content-Type
 * @param {string} text its body
 * @param {number} [at] its ticket
 */
export async function wait(path, type, text, at = ticket()) {
  const person = await owner();
  if (!person) return;
  const id = await idOfRequest(person, path, text);
  const before = await read(WAITING, placeOfWaiting(id));
  const isAgain = before && !before.refused && !isPositionOnly(path, text);
  const body = isQuizForm(path) ? withKey(withoutToken(text), id) : text;
  await put({ id, person, path, type, body, at: isAgain ? before.at : at });
}

/**
 * A page got an answer to what may be waiting here, too: its own queue told it. What the server
 * took in is let go; what it refused stays, with the reason.
 *
 * @param {string} path
 * @param {string} text
 * @param {Response} answer not read yet
 */
export async function heard(path, text, answer) {
  const person = await owner();
  if (!person) return;
  const one = await read(WAITING, placeOfWaiting(await idOfRequest(person, path, text)));
  if (one && !isPutOff(answer)) await settle(one, answer);
  // The page is further on: where it was before is not told any more.
  if (answer.ok) await drop(await idOfRequest(person, path, '{"position_s":0}'));
}

/** @returns {Promise<any[]>} what waits of this person, oldest first */
export async function waitingOf(person) {
  return (await entriesOf(person)).filter((one) => !one.refused);
}

/** @returns {Promise<any[]>} what the server refused: `refused` is `{status, message}` */
export async function refusedOf(person) {
  return (await entriesOf(person)).filter((one) => one.refused);
}

async function entriesOf(person) {
  const cache = await caches.open(WAITING);
  const all = await Promise.all((await cache.keys()).map((one) => read(WAITING, new URL(one.url).pathname)));
  return all.filter((one) => one?.person === person).sort((a, b) => a.at - b.at);
}

/** @param {string} id of an entry */
export async function drop(id) {
  await (await caches.open(WAITING)).delete(placeOfWaiting(id));
}

/**
 * Tell all that waits. Stops at the first that gets no answer; what is put off holds back what came
 * after it for the same lesson, so that the last word is the last.
 *
 * @param {string} person who is signed in: what others did waits on
 * @param {string} token that forms want
 * @param {typeof fetch} [send]
 * @returns {Promise<number>} how many the server has taken in
 */
export async function tell(person, token, send = fetch) {
  const held = new Set();
  let told = 0;
  for (const one of await waitingOf(person)) {
    if (held.has(one.path)) continue;
    const answer = await sent(one, token, send);
    if (answer === null || answer.status >= 500) return told;
    if (isPutOff(answer)) held.add(one.path);
    else if (await settle(one, answer)) told += 1;
  }
  return told;
}

const isPutOff = (answer) => answer.status >= 500 || LATER.has(answer.status);

/** @returns {Promise<boolean>} whether it was taken in; a form's answer leads elsewhere */
async function settle(one, answer) {
  if (answer.status >= 400) {
    await put({ ...one, refused: { status: answer.status, message: await reasonIn(answer) } });
    return false;
  }
  await drop(one.id);
  forgetInPages(one);
  return true;
}

/** The problem's words; empty where the answer is not one. */
async function reasonIn(answer) {
  if (!answer.headers.get("Content-Type")?.includes("json")) return "";
  return (await answer.json().catch(() => null))?.detail ?? "";
}

/** A page keeps its batches, too (courses/reports.js): one that was told here is not told again. */
function forgetInPages({ person, path, body }) {
  const lesson = REPORT.exec(path) && path.split("/")[4];
  const batch = lesson && fieldsOf(body).batch;
  if (batch && "localStorage" in globalThis) localStorage.removeItem(`watched:${person}:${lesson}:${batch}`);
}

async function put(entry) {
  await (await caches.open(WAITING)).put(placeOfWaiting(entry.id), new Response(JSON.stringify(entry)));
}

/** Of where a player is, only the last counts: all such reports of a lesson are one entry. */
function idOfRequest(person, path, text) {
  if (isPositionOnly(path, text)) return idOf(`${person} ${path} position`);
  return idOf(`${person} ${path} ${isQuizForm(path) ? withoutToken(text) : text}`);
}

function isPositionOnly(path, text) {
  const names = path.endsWith("/watched") ? Object.keys(fieldsOf(text)) : [];
  return names.length === 1 && names[0] === "position_s";
}

function fieldsOf(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {}; // the server will say what it is not
  }
}

async function sent(one, token, send) {
  const headers = { "Content-Type": one.type, "X-CSRFToken": token, Accept: "application/problem+json, */*" };
  try {
    return await send(one.path, { method: "POST", headers, body: one.body, credentials: "same-origin", redirect: "manual" });
  } catch {
    return null;
  }
}

function withoutToken(text) {
  const form = new URLSearchParams(text);
  form.delete("csrfmiddlewaretoken");
  return form.toString();
}

/** The page that was kept has one key for all its answers; other answers are another try. */
function withKey(text, id) {
  const form = new URLSearchParams(text);
  form.set(KEY, id);
  return form.toString();
}

/** A UUID that is the same for the same text. */
async function idOf(text) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  digest[6] = (digest[6] & 0x0f) | 0x80;
  digest[8] = (digest[8] & 0x3f) | 0x80;
  const hex = [...digest.slice(0, 16)].map((one) => one.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
