/** The server's clock: a phone's own may be minutes off, and a countdown has to end for all at once. */

const AWAKE_AGAIN_MS = 5_000;

export class ServerClock {
  #offsetMs = 0;
  #doubtMs = Infinity;
  #at = Date.now();
  #since = performance.now();

  /**
   * What the server said. The best of what was heard holds: that with the shortest way.
   *
   * @param {number} serverMs its clock, in milliseconds since 1970
   * @param {number} wayMs at most so long ago: the time there and back, or a guess of the way here
   * @param {{both?: boolean}} [options] `both`: `wayMs` is there and back, and it spoke in the middle
   */
  heard(serverMs, wayMs, { both = false } = {}) {
    const doubtMs = both ? wayMs / 2 : wayMs;
    if (doubtMs > this.#doubtMs && !this.#jumped()) return;
    this.#doubtMs = doubtMs;
    this.#at = Date.now();
    this.#offsetMs = serverMs + (both ? wayMs / 2 : 0) - this.#at;
    this.#since = performance.now();
  }

  /** @returns {number} milliseconds since 1970, as the server counts them */
  now() {
    return Date.now() + this.#offsetMs;
  }

  /** Somebody set the phone's clock, or it slept: what was heard before says little. */
  #jumped() {
    return Math.abs(Date.now() - this.#at - (performance.now() - this.#since)) > AWAKE_AGAIN_MS;
  }
}

/**
 * Ask over a socket what time it is, a few times: one answer may have waited on a bad line.
 *
 * @param {ServerClock} clock
 * @param {{send: (command: string, data?: object) => Promise<any>}} client
 * @param {number} [times]
 */
export async function setClock(clock, client, times = 3) {
  for (let n = 0; n < times; n++) {
    const askedAt = performance.now();
    const answer = await client.send("ping").catch(() => null);
    if (!answer) return;
    clock.heard(answer.at_ms, performance.now() - askedAt, { both: true });
  }
}

/** @param {number} leftMs @returns {string} "0:09", "14:59", "1:02:00"; of more than a day only the hours count on */
export function countdown(leftMs) {
  const seconds = Math.max(0, Math.ceil(leftMs / 1000));
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const tail = String(rest).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/**
 * Let every `[data-countdown]` (milliseconds since 1970) below `root` count down by the clock, and
 * say its `data-over` at the end.
 *
 * @param {ServerClock} clock @param {ParentNode} [root]
 */
export function tellCountdowns(clock, root = document) {
  for (const timer of root.querySelectorAll("[data-countdown]")) {
    const element = /** @type {HTMLElement} */ (timer);
    const leftMs = Number(element.dataset.countdown) - clock.now();
    const text = leftMs > 0 ? countdown(leftMs) : (element.dataset.over ?? countdown(0));
    if (element.textContent !== text) element.textContent = text;
  }
}
