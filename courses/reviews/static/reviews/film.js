/** A practice's film: plays, jumps, and shows on its line where something was said. */

import { api } from "../livecommerce/api.js";
import { all, el, one, show } from "../livecommerce/dom.js";
import { duration } from "../livecommerce/format.js";
import { ReplayVideo } from "../studio/replay-video.js";

const RATES = [1, 1.25, 1.5, 0.75];
const POLL_MS = 3_000;

/** @typedef {{state: string, replay_url: string|null, duration_s: number}} FilmData */
/** @typedef {{id: string, at_s: number, text: string}} Comment */

export class Film {
  /** @type {HTMLVideoElement|null} */ video = null;
  /** @type {(comment: Comment) => void} */ onMark = () => {};

  /** @param {HTMLElement} root @param {string} attemptId @param {FilmData} film */
  constructor(root, attemptId, film) {
    this.root = root;
    this.address = `/api/v1/reviews/${attemptId}/film`;
    this.lengthS = film.duration_s;
    if (film.state === "waiting") this.#waitForIt();
    if (film.state !== "ready") return;
    this.video = /** @type {HTMLVideoElement} */ (one("video", root));
    this.seekBar = /** @type {HTMLInputElement} */ (one("[data-seek]", root));
    this.#listen();
    const picture = new ReplayVideo(this.video, this.address, (isTrouble) => show(one("[data-problem]", root), isTrouble));
    one("[data-again]", root).addEventListener("click", () => picture.moved());
    picture.open(film.replay_url ?? "");
    for (const act of /** @type {HTMLElement[]} */ (all("[data-place]", root))) act.style.left = `${act.dataset.place}%`;
    this.#draw();
  }

  /** @returns {number} the second that is shown */
  get second() {
    return this.video ? this.video.currentTime : 0;
  }

  /** @param {number} second */
  seek(second) {
    if (!this.video) return;
    this.video.currentTime = Math.min(Math.max(0, second), this.lengthS);
    this.#draw();
  }

  play() {
    return this.video?.play().catch(() => {}); // a browser that wants a tap shows its button
  }

  pause() {
    this.video?.pause();
  }

  toggle() {
    if (this.video?.paused) this.play();
    else this.pause();
  }

  /** @param {Comment[]} comments shown on the line */
  mark(comments) {
    const place = this.root.querySelector("[data-marks]");
    if (!place) return;
    place.replaceChildren(...comments.map((comment) => this.#markOf(comment)));
  }

  #markOf(comment) {
    const words = comment.text.trim() || gettext("no words yet");
    const label = interpolate(gettext("Comment at %s: %s"), [duration(comment.at_s), words.slice(0, 80)]);
    const mark = el("button", { type: "button", class: "film__mark", title: label, "aria-label": label, data: { mark: comment.id } });
    mark.style.left = `${(100 * comment.at_s) / (this.lengthS || 1)}%`;
    mark.addEventListener("click", () => {
      this.seek(comment.at_s);
      this.onMark(comment);
    });
    return mark;
  }

  #listen() {
    const { video, root } = this;
    for (const moved of ["timeupdate", "seeking", "loadedmetadata"]) video.addEventListener(moved, () => this.#draw());
    for (const turned of ["play", "pause", "ended"]) video.addEventListener(turned, () => this.#drawPlaying());
    for (const button of all("[data-toggle]", root)) button.addEventListener("click", () => this.toggle());
    video.addEventListener("click", () => this.toggle());
    for (const button of all("[data-step]", root)) {
      button.addEventListener("click", () => this.seek(this.second + Number(button.dataset.step)));
    }
    this.seekBar.addEventListener("input", () => this.seek(Number(this.seekBar.value)));
    one("[data-rate]", root).addEventListener("click", () => this.#nextRate());
  }

  #nextRate() {
    const next = RATES[(RATES.indexOf(this.video.playbackRate) + 1) % RATES.length];
    this.video.playbackRate = next;
    one("[data-rate-now]", this.root).textContent = `${next}×`;
  }

  #draw() {
    const now = this.second;
    this.seekBar.value = String(now);
    this.seekBar.setAttribute("aria-valuetext", duration(now));
    one("[data-now]", this.root).textContent = duration(now);
  }

  #drawPlaying() {
    const isPlaying = !this.video.paused && !this.video.ended;
    this.root.classList.toggle("is-playing", isPlaying);
    one("[data-toggle-label]", this.root).textContent = isPlaying ? gettext("Pause") : gettext("Play");
  }

  #waitForIt() {
    const timer = setInterval(async () => {
      const film = await api("GET", this.address).catch(() => null);
      if (!film || film.state === "waiting") return;
      clearInterval(timer);
      location.reload();
    }, POLL_MS);
  }
}

/** Two films that move as one while somebody wants it. */
export class Together {
  #from = 0;
  #isOn = false;
  #isOurs = false;

  /** @param {Film} leading @param {Film} following */
  constructor(leading, following) {
    Object.assign(this, { leading, following });
    leading.video?.addEventListener("seeked", () => this.#moved(leading, following));
    following.video?.addEventListener("seeked", () => this.#moved(following, leading));
    leading.video?.addEventListener("pause", () => this.#isOn && following.pause());
    leading.video?.addEventListener("play", () => this.#isOn && following.play());
  }

  /** From now on both keep the distance that they have. @param {boolean} isOn */
  set isOn(isOn) {
    this.#isOn = isOn;
    this.#from = this.following.second - this.leading.second;
  }

  #moved(moved, other) {
    if (!this.#isOn) return;
    if (this.#isOurs) {
      this.#isOurs = false;
      return;
    }
    const step = moved === this.leading ? this.#from : -this.#from;
    const wanted = Math.min(Math.max(0, moved.second + step), other.lengthS);
    if (Math.abs(other.second - wanted) < 0.1) return;
    this.#isOurs = true;
    other.seek(wanted);
  }

  playBoth() {
    const isPlaying = this.leading.video && !this.leading.video.paused;
    for (const film of [this.leading, this.following]) {
      if (isPlaying) film.pause();
      else film.play();
    }
  }
}
