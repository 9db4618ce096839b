/** The live picture: starts by itself (muted where it must), and mends itself while the show runs. */

import { attachHls } from "../livecommerce/player.js";
import { recall, remember } from "../livecommerce/store.js";

const TRY_AGAIN_MS = 2_000;
const LOOK_EVERY_MS = 2_000;
/** A picture that has not moved for this long is fetched anew. */
const STUCK_MS = 9_000;
const SOUND_WANTED = "livecommerce.sound";

export class LivePlayer {
  #attached = null;
  #wanted = false;
  #timer = 0;
  #movedAt = 0;
  #lastTime = -1;
  #run = 0;

  /**
   * @param {HTMLElement} stage carries `has-picture` and `data-shape` for the style sheet
   * @param {HTMLVideoElement} video
   * @param {HTMLElement} soundButton shown while the browser keeps the video silent
   * @param {() => Promise<string|null>} findUrl the live playlist, `null` while there is none
   */
  constructor(stage, video, soundButton, findUrl) {
    Object.assign(this, { stage, video, soundButton, findUrl });
    showShape(stage, video);
    video.addEventListener("playing", () => stage.classList.add("has-picture"));
    video.addEventListener("volumechange", () => this.#showSound());
    soundButton.addEventListener("click", () => this.unmute());
  }

  /** Play, and keep at it. Doing it twice does no harm. */
  start() {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#movedAt = Date.now();
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#attach();
  }

  stop() {
    this.#wanted = false;
    clearInterval(this.#timer);
    this.#detach();
    this.stage.classList.remove("has-picture");
    this.soundButton.hidden = true;
  }

  unmute() {
    this.video.muted = false;
    remember(SOUND_WANTED, true);
    this.video.play().catch(() => this.#playMuted());
  }

  async #attach() {
    const run = ++this.#run;
    try {
      const url = await this.findUrl();
      if (!this.#isCurrent(run)) return;
      if (url === null) return this.#again(run);
      const attached = await attachHls(this.video, url, { live: true, onError: () => this.#again(run) });
      if (!this.#isCurrent(run)) return attached.detach();
      this.#attached = attached;
      await this.#play();
    } catch (error) {
      console.warn("no picture yet:", error);
      this.#again(run);
    }
  }

  #isCurrent(run) {
    return this.#wanted && run === this.#run;
  }

  #again(run) {
    if (!this.#isCurrent(run)) return;
    this.#detach();
    setTimeout(() => this.#isCurrent(run) && this.#attach(), TRY_AGAIN_MS);
  }

  #detach() {
    this.#attached?.detach();
    this.#attached = null;
  }

  async #play() {
    this.video.muted = recall(SOUND_WANTED) !== true;
    try {
      await this.video.play();
    } catch {
      await this.#playMuted();
    }
    this.#showSound();
  }

  /** Browsers start a video with sound only after a tap. */
  async #playMuted() {
    this.video.muted = true;
    await this.video.play().catch(() => {}); // the watch below tries again
    this.#showSound();
  }

  #showSound() {
    this.soundButton.hidden = !this.#wanted || !this.video.muted;
  }

  #look() {
    if (document.hidden || this.video.currentTime !== this.#lastTime) {
      this.#lastTime = this.video.currentTime;
      this.#movedAt = Date.now();
    } else if (Date.now() - this.#movedAt > STUCK_MS) {
      this.#movedAt = Date.now();
      this.#detach();
      this.#attach();
    }
  }
}

/** Tell the style sheet whether the picture stands or lies. */
export function showShape(stage, video) {
  const set = () => {
    if (!video.videoWidth) return;
    stage.dataset.shape = video.videoHeight > video.videoWidth ? "tall" : "wide";
  };
  video.addEventListener("loadedmetadata", set);
  video.addEventListener("resize", set);
}
