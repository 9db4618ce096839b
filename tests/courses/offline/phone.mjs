// Run by test_sync.py beside copies of the scripts that it tries.
import { pieces, wanted, PART_BYTES } from "./films.js";
import { drop, heard, refusedOf, tell, wait, waitingOf } from "./waiting.js";
import assert from "node:assert";

class Box {
  constructor() { this.map = new Map(); }
  async put(place, answer) { this.map.set(place, await answer.text()); }
  async match(place) { return this.map.has(place) ? new Response(this.map.get(place)) : undefined; }
  async delete(place) { return this.map.delete(place); }
  async keys() { return [...this.map.keys()].map((one) => ({ url: `http://phone${one}` })); }
}
const boxes = new Map();
globalThis.caches = { open: async (name) => boxes.get(name) ?? boxes.set(name, new Box()).get(name) };

// mulberry32: the same dice at every run.
let seed = 7;
const dice = (most) => {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) % most;
};

for (let turn = 0; turn < 3000; turn += 1) {
  const size = 1 + dice(5 * PART_BYTES);
  const [first, more] = [dice(size), dice(size)];
  const header = [`bytes=${first}-${first + more}`, `bytes=${first}-`, `bytes=-${more + 1}`][turn % 3];
  const [from, to] = wanted(header, size);
  const found = pieces([from, to]);
  assert.equal(found.reduce((sum, [, a, b]) => sum + b - a, 0), to - from + 1);
  let at = from;
  for (const [number, a, b] of found) { assert.equal(number * PART_BYTES + a, at); at += b - a; }
}
assert.equal(wanted("bytes=9-3", 10), null);
assert.equal(wanted("bytes=10-", 10), null);
assert.equal(wanted("lines=1-2", 10), null);

for (let turn = 0; turn < 200; turn += 1) {
  boxes.clear();
  const lessons = await caches.open("learn-lessons");
  await lessons.put("/learn/offline/kept/owner", new Response(JSON.stringify("wang")));
  const said = new Set();
  for (let one = 0; one < 1 + dice(6); one += 1) {
    const body = JSON.stringify({ intervals: [[0, 1 + dice(4)]] });
    said.add(body);
    await wait("/api/v1/lessons/x/watched", "application/json", body);
  }
  const heard = [];
  const send = async (path, { body }) => {
    const luck = dice(4);
    if (luck === 0) throw new TypeError("it never arrived");
    heard.push(body);
    if (luck === 1) throw new TypeError("the answer never arrived");
    return new Response("", { status: luck === 2 && heard.length < 9 ? 503 : 200 });
  };
  assert.equal(await tell("li", "token", send), 0);
  assert.equal(heard.length, 0, "nobody tells what somebody else did");
  for (let again = 0; again < 200 && (await waitingOf("wang")).length; again += 1) await tell("wang", "token", send);
  assert.deepEqual(new Set(heard), said);
  assert.equal((await waitingOf("wang")).length, 0);
}

const form = "csrfmiddlewaretoken=a&form_key=1&paper=1&q=2";
await wait("/learn/c/l/quiz/", "application/x-www-form-urlencoded", form);
await wait("/learn/c/l/quiz/", "application/x-www-form-urlencoded", form.replace("=a", "=b"));
await wait("/learn/c/l/quiz/", "application/x-www-form-urlencoded", form.replace("q=2", "q=3"));
const keys = (await waitingOf("wang")).map(({ body }) => new URLSearchParams(body).get("form_key"));
assert.equal(keys.length, 2, "pressed twice it is one try, other answers are another");
assert.notEqual(keys[0], keys[1]);
assert.match(keys[0], /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);

boxes.clear();
await (await caches.open("learn-lessons")).put("/learn/offline/kept/owner", new Response(JSON.stringify("wang")));
const watched = "/api/v1/lessons/x/watched";
const batch = (id) => JSON.stringify({ batch: id, stretches: [], lasted_s: 1, position_s: 1 });
const waiting = async () => (await waitingOf("wang")).map(({ body }) => body);
const answer = (status, detail) => new Response(JSON.stringify({ detail }), { status, headers: { "Content-Type": "application/problem+json" } });

// In the order in which they were made, also when the first is tried again after the second.
for (const id of ["b", "a", "b"]) await wait(watched, "application/json", batch(id));
await wait(watched, "application/json", '{"position_s":4}');
await wait(watched, "application/json", '{"position_s":9}');
assert.deepEqual(await waiting(), [batch("b"), batch("a"), '{"position_s":9}']);

// What is put off holds back what came after it.
let asked = [];
await tell("wang", "token", async (_path, { body }) => (asked.push(body), answer(429, "too early")));
assert.deepEqual(asked, [batch("b")]);

// The page's own queue told it: it is not told again, and an older position neither.
globalThis.localStorage = { gone: [], removeItem(key) { this.gone.push(key); } };
await heard(watched, batch("b"), answer(200));
assert.deepEqual(await waiting(), [batch("a")]);

// The other way round: what was told here goes from the page's queue.
assert.equal(await tell("wang", "token", async () => answer(200)), 1);
assert.deepEqual(localStorage.gone, ["watched:wang:x:b", "watched:wang:x:a"]);
assert.deepEqual(await waiting(), []);

// A refusal is kept with its words until the person removes it, and is not told again.
await wait("/learn/c/l/quiz/", "application/x-www-form-urlencoded", form);
assert.equal(await tell("wang", "token", async () => answer(409, "The quiz has changed.")), 0);
assert.deepEqual(await waiting(), []);
const [refused] = await refusedOf("wang");
assert.deepEqual(refused.refused, { status: 409, message: "The quiz has changed." });
await drop(refused.id);
assert.deepEqual(await refusedOf("wang"), []);
