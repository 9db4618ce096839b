/** What else a lesson's player offers: only sound, a sharper picture, a small window, chapters. */

import { api } from "../livecommerce/api.js";
import { el, one, show } from "../livecommerce/dom.js";
import { duration } from "../livecommerce/format.js";

export class PlayerExtras {
  /**
   * @param {HTMLVideoElement} video
   * @param {{id: string, forms: {light: string, sound: string, full: string}}} lesson
   * @param {(second: number) => void} goTo
   */
  constructor(video, lesson, goTo) {
    this.video = video;
    this.forms = lesson.forms;
    this.goTo = goTo;
    this.form = "light";
    one("[data-audio]").addEventListener("click", () => this.choose("sound"));
    one("[data-sharp]").addEventListener("click", () => this.choose("full"));
    const pip = one("[data-pip]");
    show(pip, document.pictureInPictureEnabled ?? false);
    pip.addEventListener("click", () => this.toggleSmall());
    this.showChapters(lesson.id);
  }

  /** Another form of the same film, at the same second; once more goes back. */
  choose(form) {
    const { video } = this;
    this.form = this.form === form ? "light" : form;
    const { currentTime: at, playbackRate: rate, paused } = video;
    video.src = this.forms[this.form];
    const goOn = () => {
      video.currentTime = at;
      video.playbackRate = rate;
      if (!paused) video.play();
    };
    video.addEventListener("loadedmetadata", goOn, { once: true });
    one("[data-player]").classList.toggle("is-heard", this.form === "sound");
    one("[data-audio]").setAttribute("aria-pressed", String(this.form === "sound"));
    one("[data-sharp]").setAttribute("aria-pressed", String(this.form === "full"));
  }

  async toggleSmall() {
    if (document.pictureInPictureElement) await document.exitPictureInPicture();
    else await this.video.requestPictureInPicture();
  }

  /** The products that were shown, each where it begins. */
  async showChapters(lessonId) {
    const cues = await api("GET", `/api/v1/lessons/${lessonId}/cues`).catch(() => []);
    const shown = cues.filter(({ kind }) => kind === "product");
    const rows = shown.map((cue) => {
      const button = el("button", { type: "button", on: { click: () => this.goTo(cue.start_s) } });
      button.append(el("span", { class: "number" }, duration(cue.start_s)), el("span", {}, cue.text));
      return el("li", {}, button);
    });
    one("[data-chapters]").replaceChildren(...rows);
    show(one("[data-chapters-part]"), rows.length > 0);
    this.video.addEventListener("timeupdate", () => {
      const now = shown.findLastIndex(({ start_s: start }) => start <= this.video.currentTime);
      rows.forEach((row, number) => row.firstElementChild?.setAttribute("aria-current", String(number === now)));
    });
  }
}
