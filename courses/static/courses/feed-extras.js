/** Captions and speed of the feed's lessons. Fetched after the first picture (feed.js). */

import { api } from "../livecommerce/api.js";
import { all, el, one } from "../livecommerce/dom.js";
import { CaptionsMenu } from "../streams/captions.js";
import { rateAfter } from "./rates.js";

/** Of all lessons of this page: who swipes on goes on as fast. */
let rate = 1;
/** @type {Set<LessonExtras>} */
const shown = new Set();

export class LessonExtras {
  /**
   * @param {{item: any, article: HTMLElement, video: HTMLVideoElement}} lesson
   * @param {boolean} isSignedIn who is not may not ask for captions
   */
  constructor(lesson, isSignedIn) {
    this.lesson = lesson;
    this.isSignedIn = isSignedIn;
    /** @type {CaptionsMenu|null} */
    this.menu = null;
    this.isAsking = false;
    this.place = el("span", { class: "feed__languages" });
    this.lines = el("div", { class: "feed__captions" });
    this.button = el("button", { class: "button feed__button number", type: "button", data: { rate: "" }, on: { click: () => this.nextRate() } });
    this.said = el("span", { class: "visually-hidden", role: "status" });
    const row = el("div", { class: "row feed__extras" }, this.place, this.button, this.said);
    one(".feed__words", lesson.article).prepend(this.lines, row);
    shown.add(this);
    this.draw();
    this.addCaptions();
  }

  /** It comes back in sight: something else may have been chosen, or there is a network again. */
  again() {
    if (this.menu) this.menu.again();
    else this.addCaptions();
  }

  async addCaptions() {
    if (this.menu || this.isAsking) return;
    this.isAsking = true;
    try {
      this.menu = new CaptionsMenu(this.lesson.video, await this.captions(), this.place, this.lines);
    } catch (error) {
      if (error.name !== "ApiError") throw error;
      console.warn("the lesson is shown without its captions:", error);
    } finally {
      this.isAsking = false;
    }
  }

  /** A lesson that is kept on this phone has brought its own. */
  async captions() {
    const { id, captions } = this.lesson.item;
    if (captions) return captions;
    return this.isSignedIn ? api("GET", `/api/v1/lessons/${id}/captions`) : [];
  }

  nextRate() {
    rate = rateAfter(rate);
    // The default one too: a film that is fetched later would begin with that.
    for (const video of all("[data-lesson] video")) Object.assign(video, { defaultPlaybackRate: rate, playbackRate: rate });
    for (const extras of shown) extras.draw();
    this.said.textContent = this.button.getAttribute("aria-label");
  }

  draw() {
    this.button.textContent = `${rate}×`;
    this.button.setAttribute("aria-label", interpolate(gettext("Speed: %s"), [`${rate}×`]));
  }
}
