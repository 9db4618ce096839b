/** Which captions a player shows: none, one language, or two at once; remembered on this device. */

import { el } from "../livecommerce/dom.js";

const KEY = "captions";
const NONE = "";

export class CaptionsMenu {
  /** @type {TextTrack[]} */ #tracks = [];
  #wanted = NONE;
  /** @type {TextTrackMode} */ #on = "showing";
  /** Whether a change may be the viewer's, by the browser's own menu. */
  #isTouched = false;

  /**
   * @param {HTMLVideoElement} video
   * @param {{language: string, name: string, url: string}[]} captions
   * @param {HTMLElement} place where the menu goes; it stays empty where there are no captions
   * @param {HTMLElement|null} [lines] where the words go; without it the browser draws them
   */
  constructor(video, captions, place, lines = null) {
    if (!captions.length) return;
    this.lines = lines;
    if (lines) this.#on = "hidden";
    this.#tracks = captions.map(({ language, name, url }) => {
      const element = /** @type {HTMLTrackElement} */ (el("track", { kind: "captions", srclang: language, label: name, src: url }));
      video.append(element);
      if (lines) element.track.addEventListener("cuechange", () => this.#draw());
      return element.track;
    });
    this.select = /** @type {HTMLSelectElement} */ (el("select", { "aria-label": gettext("Captions") }, ...options(captions)));
    this.select.addEventListener("change", () => {
      this.#choose(this.select.value);
      keep(this.select.value);
    });
    video.textTracks.addEventListener("change", () => this.#follow());
    for (const touch of ["pointerdown", "keydown"]) video.addEventListener(touch, () => (this.#isTouched = true), { once: true });
    place.append(this.select);
    this.#choose(remembered());
  }

  /** As was chosen in another player of this page meanwhile. */
  again() {
    if (this.select) this.#choose(remembered());
  }

  /** @param {string} languages joined by a plus sign */
  #choose(languages) {
    this.#wanted = this.#tracks.some((track) => languages.split("+").includes(track.language)) ? languages : NONE;
    const wanted = this.#wanted.split("+");
    for (const track of this.#tracks) {
      const mode = wanted.includes(track.language) ? this.#on : "disabled";
      if (track.mode !== mode) track.mode = mode;
    }
    this.select.value = this.#shown();
    this.#draw();
  }

  /** What is said now, each language in its own line, and as text. */
  #draw() {
    const shown = this.#tracks.filter((track) => track.mode === this.#on);
    const line = (track, cue) => el("p", { lang: track.language }, cue.getCueAsHTML().textContent);
    const lines = shown.flatMap((track) => [...(track.activeCues ?? [])].map((cue) => line(track, cue)));
    this.lines?.replaceChildren(...lines);
  }

  #shown() {
    return this.#tracks.filter((track) => track.mode === this.#on).map((track) => track.language).join("+");
  }

  /** Browsers show by themselves what is in the viewer's language; only what a viewer does counts. */
  #follow() {
    if (this.#shown() === this.#wanted) return;
    this.#choose(this.#isTouched ? this.#shown() : this.#wanted);
  }
}

function options(captions) {
  const singles = captions.map(({ language, name }) => el("option", { value: language }, name));
  const pairs = captions.flatMap((first, at) => captions.slice(at + 1).map((second) => el("option", { value: `${first.language}+${second.language}` }, `${first.name} + ${second.name}`)));
  return [el("option", { value: NONE }, gettext("No captions")), ...singles, ...pairs];
}

function remembered() {
  try {
    return localStorage.getItem(KEY) ?? NONE;
  } catch {
    return NONE; // forbidden: the page works without
  }
}

function keep(value) {
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // full or forbidden: chosen again next time
  }
}
