/** Which rendition is watched: what the viewer chose of what there is, or what the line carries. */

import { el, show } from "../livecommerce/dom.js";
import { recall, remember } from "../livecommerce/store.js";

const CHOSEN = "livecommerce.quality";
/** From best to least: without a choice of the viewer's own, the next one after each trouble. */
const STEPS = ["source", "low", "audio"];
const CLIMB_AFTER_MS = 30_000;
const LONGEST_CLIMB_MS = 300_000;
const SETTLES_WITHIN_MS = 8_000;

/** Without a choice: down when the line does not carry it, up again after a calm time. */
export class AutoStep {
  #step = 0;
  #changedAt = 0;
  #climbMs = CLIMB_AFTER_MS;
  #climbedAt = -Infinity;

  /** @param {string[]} offered @returns {string} */
  rendition(offered) {
    const possible = steps(offered);
    return possible[Math.min(this.#step, possible.length - 1)] ?? "source";
  }

  /**
   * The line does not carry it; whether there is a smaller one.
   *
   * @param {string[]} offered
   * @param {number} now
   */
  trouble(offered, now) {
    if (this.#step >= steps(offered).length - 1 || now - this.#changedAt < SETTLES_WITHIN_MS) return false;
    if (now - this.#climbedAt < 2 * SETTLES_WITHIN_MS) this.#climbMs = Math.min(LONGEST_CLIMB_MS, this.#climbMs * 2);
    this.#step += 1;
    this.#changedAt = now;
    return true;
  }

  /** All is well; whether it is time for a better one. @param {number} now */
  calm(now) {
    if (!this.#step || now - this.#changedAt < this.#climbMs) return false;
    this.#step -= 1;
    this.#changedAt = this.#climbedAt = now;
    return true;
  }
}

/** Nobody loses the picture to a few waits: the sound alone comes after a smaller picture. */
function steps(/** @type {string[]} */ offered) {
  const last = offered.includes("low") ? STEPS.length : 1;
  return STEPS.slice(0, last).filter((one) => offered.includes(one));
}

export class QualityChoice {
  /** @type {string[]} */ offered = [];
  /** @type {import("./player-wire.js").Poster|null} */ poster = null;
  auto = new AutoStep();

  /**
   * @param {HTMLElement|null} field is hidden while there is nothing to choose; has a select
   * @param {() => void} onChange
   */
  constructor(field, onChange) {
    this.field = field;
    this.select = field?.querySelector("select") ?? null;
    this.onChange = onChange;
    this.chosen = recall(CHOSEN) ?? "auto";
    this.select?.addEventListener("change", () => this.#choose(this.select?.value ?? "auto"));
  }

  /** What to ask the server for. */
  get rendition() {
    const wanted = this.chosen === "poster" ? "audio" : this.chosen;
    return this.offered.includes(wanted) ? wanted : this.auto.rendition(this.offered);
  }

  get isSaver() {
    return this.chosen === "poster" && this.rendition === "audio" && this.poster !== null;
  }

  /** @param {string[]} renditions @param {import("./player-wire.js").Poster|null} poster */
  offer(renditions, poster) {
    this.offered = renditions;
    this.poster = poster;
    this.#show();
    this.onChange();
  }

  /** The line does not carry what is watched. */
  trouble() {
    if (this.chosen === "auto" && this.auto.trouble(this.offered, performance.now())) this.onChange();
  }

  calm() {
    if (this.chosen === "auto" && this.auto.calm(performance.now())) this.onChange();
  }

  #choose(/** @type {string} */ chosen) {
    this.chosen = chosen;
    remember(CHOSEN, chosen === "auto" ? null : chosen);
    this.onChange();
  }

  #show() {
    if (!this.field || !this.select) return;
    const choices = this.#choices();
    show(this.field, choices.length > 2);
    this.select.replaceChildren(...choices.map(([value, label]) => el("option", { value }, label)));
    this.select.value = choices.some(([value]) => value === this.chosen) ? this.chosen : "auto";
  }

  #choices() {
    const labels = [
      ["auto", gettext("Automatic")],
      ["source", gettext("Best picture")],
      ["low", gettext("Small picture (360p)")],
      ["audio", gettext("Sound only")],
      ["poster", gettext("Data saver: still pictures with sound")],
    ];
    const there = new Set(["auto", ...this.offered, ...(this.poster && this.offered.includes("audio") ? ["poster"] : [])]);
    return labels.filter(([value]) => there.has(value));
  }
}

/** Pictures of the show one after the other, in the place of the video. */
export class Stills {
  /** @type {ReturnType<typeof setInterval>|undefined} */ #timer;
  #url = "";

  /** @param {HTMLElement} stage */
  constructor(stage) {
    this.stage = stage;
    this.image = el("img", { class: "stage__still", alt: "", hidden: true });
    // A picture that is just being written, or gone: the one before stays.
    this.image.addEventListener("load", () => show(this.image, Boolean(this.#url)));
  }

  /** @param {import("./player-wire.js").Poster|null} poster `null`: none */
  show(poster) {
    if ((poster?.url ?? "") === this.#url) return;
    clearInterval(this.#timer);
    this.#url = poster?.url ?? "";
    if (!poster) return show(this.image, false);
    if (!this.image.isConnected) this.stage.querySelector("video")?.after(this.image);
    this.#timer = setInterval(() => this.#next(), poster.every_s * 1000);
    this.#next();
  }

  #next() {
    const url = new URL(this.#url, location.href);
    url.searchParams.set("n", String(Math.floor(Date.now() / 1000)));
    /** @type {HTMLImageElement} */ (this.image).src = url.href;
  }
}
