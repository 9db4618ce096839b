// Shows end by themselves after some hours: warns the host before that.

import { one, show } from "../livecommerce/dom.js";

const WARNED_MS = 600_000;
const PRACTICE_WARNED_MS = 60_000;
const LOOK_EVERY_MS = 1_000;

export class TimeLimit {
  #longestMs;
  #isRehearsal;
  #isPractice;
  #endsAt = null;
  #said = "";

  /** `longestMs` is how long a show may last; 0 is for as long as it likes. */
  constructor(longestMs, isRehearsal = false, isPractice = false) {
    this.#longestMs = longestMs;
    this.#isRehearsal = isRehearsal;
    this.#isPractice = isPractice;
    if (longestMs) setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  /** @param {string|null} at when the show began, ISO 8601 */
  began(at) {
    if (at) this.#endsAt = new Date(at).getTime() + this.#longestMs;
    this.#look();
  }

  #look() {
    const leftMs = this.#endsAt - Date.now();
    const warnedMs = this.#isPractice ? PRACTICE_WARNED_MS : WARNED_MS;
    if (!this.#longestMs || this.#endsAt === null || leftMs > warnedMs) return;
    const minutes = Math.max(1, Math.ceil(leftMs / 60_000));
    if (this.#isPractice) return this.#say(practiceWords(Math.max(0, Math.ceil(leftMs / 10_000) * 10)));
    this.#say(this.#isRehearsal ? rehearsalWords(minutes) : interpolate(
      ngettext(
        "This show ends by itself in %s minute: it has lasted as long as a show may. Say goodbye, and schedule the next one.",
        "This show ends by itself in %s minutes: it has lasted as long as a show may. Say goodbye, and schedule the next one.",
        minutes,
      ),
      [minutes],
    ));
  }

  #say(text) {
    if (text !== this.#said) one("#ends-soon").textContent = this.#said = text;
    show(one("#ends-soon"), true);
  }
}

function practiceWords(seconds) {
  const text = ngettext("The practice ends in %s second. Say goodbye.", "The practice ends in %s seconds. Say goodbye.", seconds);
  return interpolate(text, [seconds]);
}

function rehearsalWords(minutes) {
  const text = ngettext(
    "This rehearsal ends by itself in %s minute. You can begin another one then.",
    "This rehearsal ends by itself in %s minutes. You can begin another one then.",
    minutes,
  );
  return interpolate(text, [minutes]);
}
