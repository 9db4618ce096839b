/** Which stretches of a video were really played. Pure: no DOM, no network. Times in seconds. */

/** As in courses/intervals.py: a smaller gap is the player's step, not something unwatched. */
export const JOIN_S = 0.25;

/** How far a player may be ahead of the clock: its reports come when it finds the time. */
const SLACK_S = 0.5;

/** Above this nothing counts, as in courses/services/watched.py. */
const FASTEST = 2.01;

/** @typedef {[number, number]} Stretch */
/** @typedef {{start_s: number, end_s: number, rate: number, muted: boolean, hidden: boolean}} Played */

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

/** As courses/services/watched.py counts. @param {Partial<Played>} one */
export function counts(one) {
  return !(one.muted && one.hidden) && (one.rate ?? 1) <= FASTEST;
}

/**
 * Follows a player. A step forward counts as played only if it took about as long as playing it
 * takes: a jump begins a new stretch, whether or not the player announced it.
 */
export class PlayedTracker {
  /** @param {() => number} clock in milliseconds @param {() => boolean} isHidden whether nobody sees it */
  constructor(clock = () => performance.now(), isHidden = () => globalThis.document?.hidden ?? false) {
    this.clock = clock;
    this.isHidden = isHidden;
    this.rate = 1;
    this.muted = false;
    /** @type {Played[]} */
    this.finished = [];
    /** @type {Played|null} */
    this.open = null;
    this.sampledAt = 0;
  }

  /** The player plays, from `at` on. @param {number} at */
  start(at) {
    this.stop();
    this.open = { start_s: at, end_s: at, rate: this.rate, muted: this.muted, hidden: this.isHidden() };
    this.sampledAt = this.clock();
  }

  /** The player, still playing, is at `at`. @param {number} at */
  sample(at) {
    if (!this.open) return;
    const now = this.clock();
    const possible = ((now - this.sampledAt) / 1000) * this.rate + SLACK_S;
    const step = at - this.open.end_s;
    if (step < 0 || step > possible) return this.start(at);
    this.open.end_s = at;
    this.sampledAt = now;
    if (this.isOtherwise()) this.start(at);
  }

  /** It goes on in another way: louder, faster, in sight. @param {boolean} muted @param {number} [rate] */
  how(muted, rate = this.rate) {
    this.muted = muted;
    this.rate = rate;
    if (this.open && this.isOtherwise()) this.start(this.open.end_s);
  }

  isOtherwise() {
    const { rate, muted, hidden } = /** @type {Played} */ (this.open);
    return rate !== this.rate || muted !== this.muted || hidden !== this.isHidden();
  }

  /** The player does not play any more; `at` is left out where it has jumped already. @param {number} [at] */
  stop(at) {
    if (at !== undefined) this.sample(at);
    if (this.open && this.open.end_s > this.open.start_s) this.finished.push(this.open);
    this.open = null;
  }

  /** @returns {Stretch[]} what was played since the last `take` and will count */
  get played() {
    const all = this.open ? [...this.finished, this.open] : this.finished;
    return all.filter(counts).map(({ start_s: start, end_s: end }) => [start, end]);
  }

  /** @returns {Played[]} what was played since the last call; a stretch under way goes on */
  take() {
    const open = this.open;
    const taken = this.finished;
    if (open && open.end_s > open.start_s) taken.push({ ...open });
    if (open) this.open = { ...open, start_s: open.end_s };
    this.finished = [];
    return taken.map((one) => ({ ...one, start_s: round(one.start_s), end_s: round(one.end_s) })).filter((one) => one.end_s > one.start_s);
  }
}

function round(seconds) {
  return Math.round(seconds * 1000) / 1000;
}
