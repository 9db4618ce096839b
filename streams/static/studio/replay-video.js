// The video of a replay, which follows its files when they move to other addresses.

import { api } from "../livecommerce/api.js";
import { attachHls } from "../livecommerce/player.js";

/** An address that fails so soon after it was asked for is no old one. */
const FRESH_MS = 10_000;

export class ReplayVideo {
  /** @type {import("../livecommerce/player.js").Attached|null} */ #attached = null;
  #askedAt = -Infinity;
  #run = 0;
  /** @type {{second: number, plays: boolean}|null} where to go on once the next address plays */
  #place = null;

  /**
   * @param {HTMLVideoElement} video
   * @param {string} playbackUrl tells the present address as `replay_url`
   * @param {(isTrouble: boolean) => void} onTrouble
   */
  constructor(video, playbackUrl, onTrouble) {
    Object.assign(this, { video, playbackUrl, onTrouble });
  }

  /** @param {string} url of the playlist */
  async open(url) {
    const run = ++this.#run;
    this.#attached?.detach(); // or it asks for what is gone, again and again
    this.#attached = null;
    const attached = await attachHls(this.video, url, { onError: () => run === this.#run && this.#failed() });
    if (run === this.#run) this.#attached = attached;
    else attached.detach();
  }

  /** The files are, or may be, at other addresses now: go on there at the same second. */
  async moved() {
    const { video } = this;
    this.#place ??= { second: video.currentTime, plays: !video.paused };
    this.#askedAt = performance.now();
    try {
      const { replay_url: url } = await api("GET", this.playbackUrl);
      video.addEventListener("loadedmetadata", () => this.#goOn(), { once: true });
      await this.open(url);
    } catch (error) {
      console.warn("the replay's new address is not known:", error);
      this.onTrouble(true);
    }
  }

  #goOn() {
    const place = this.#place;
    this.#place = null;
    if (!place) return;
    this.video.currentTime = place.second;
    if (place.plays) this.video.play().catch(() => {}); // the controls are there
    this.onTrouble(false);
  }

  #failed() {
    if (performance.now() - this.#askedAt < FRESH_MS) this.onTrouble(true);
    else this.moved();
  }
}
