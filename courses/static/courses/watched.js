/** Which stretches of a video were really played. Pure: no DOM, no network. Times in seconds. */

/** As in courses/intervals.py: a smaller gap is the player's step, not something unwatched. */
export const JOIN_S = 0.25;

/** How far a player may be ahead of the clock: its reports come when it finds the time. */
const SLACK_S = 0.5;

/** @typedef {[number, number]} Stretch */

/** @param {Stretch[]} stretches @returns {Stretch[]} sorted, disjoint, to the millisecond */
export function merge(stretches) {
  /** @type {Stretch[]} */
  const merged = [];
  const sorted = stretches.map(([start, end]) => [round(start), round(end)]).sort((a, b) => a[0] - b[0]);
  for (const [start, end] of sorted) {
    const last = merged.at(-1);
    if (end <= start) continue;
    if (last && start - last[1] <= JOIN_S) last[1] = Math.max(last[1], end);
    else merged.push([start, end]);
  }
  return merged;
}

/** @param {Stretch[]} merged @returns {number} seconds */
export function covered(merged) {
  return merged.reduce((sum, [start, end]) => sum + end - start, 0);
}

/** @param {Stretch[]} merged @param {number} duration @returns {Stretch[]} what is not in it */
export function missing(merged, duration) {
  /** @type {Stretch[]} */
  const gaps = [];
  let reached = 0;
  for (const [start, end] of [...merged, [duration, duration]]) {
    if (start - reached > JOIN_S) gaps.push([reached, start]);
    reached = Math.max(reached, end);
  }
  return gaps;
}

/**
 * Follows a player. A step forward counts as played only if it took about as long as playing it
 * takes: a jump begins a new stretch, whether or not the player announced it.
 */
export class PlayedTracker {
  /** @param {() => number} clock in milliseconds */
  constructor(clock = () => performance.now()) {
    this.clock = clock;
    this.rate = 1;
    /** @type {Stretch[]} */
    this.finished = [];
    /** @type {Stretch|null} */
    this.open = null;
    this.sampledAt = 0;
  }

  /** The player plays, from `at` on. @param {number} at */
  start(at) {
    this.stop();
    this.open = [at, at];
    this.sampledAt = this.clock();
  }

  /** The player, still playing, is at `at`. @param {number} at */
  sample(at) {
    if (!this.open) return;
    const now = this.clock();
    const possible = ((now - this.sampledAt) / 1000) * this.rate + SLACK_S;
    const step = at - this.open[1];
    if (step < 0 || step > possible) return this.start(at);
    this.open[1] = at;
    this.sampledAt = now;
  }

  /** The player does not play any more; `at` is left out where it has jumped already. @param {number} [at] */
  stop(at) {
    if (at !== undefined) this.sample(at);
    if (this.open && this.open[1] > this.open[0]) this.finished.push(this.open);
    this.open = null;
  }

  /** @returns {Stretch[]} what was played since the last call; a stretch under way goes on */
  take() {
    const open = this.open;
    const taken = [...this.finished];
    if (open && open[1] > open[0]) taken.push([open[0], open[1]]);
    if (open) this.open = [open[1], open[1]];
    this.finished = [];
    return merge(taken);
  }
}

function round(seconds) {
  return Math.round(seconds * 1000) / 1000;
}
