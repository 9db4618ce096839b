/** Small pictures over the line that one seeks by: what there is to see at the place under a finger. */

import { el } from "../livecommerce/dom.js";
import { duration } from "../livecommerce/format.js";

/** @typedef {{start: number, end: number, url: string, x: number, y: number, width: number, height: number}} Small */

const CUE = /^(\S+) --> (\S+)\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)$/gm;

/**
 * The pictures that a storyboard's WebVTT names.
 *
 * @param {string} text @param {string} base the address of the text, which those in it are relative to
 * @returns {Small[]}
 */
export function parse(text, base) {
  return [...text.matchAll(CUE)].map(([, start, end, url, ...place]) => {
    const [x, y, width, height] = place.map(Number);
    return { start: seconds(start), end: seconds(end), url: new URL(url, base).href, x, y, width, height };
  });
}

function seconds(time) {
  return time.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}

/** Where a box of `width` may begin, so that it stays within a line of `room`. */
export function placed(at, width, room) {
  return Math.max(0, Math.min(room - width, at - width / 2));
}

export class Storyboard {
  #line;
  #url;
  #lengthS;
  /** @type {Small[]|null} fetched when somebody first points at the line */ #pictures = null;
  /** @type {number|null} where somebody points */ #at = null;
  #box = el("div", { class: "storyboard", hidden: true, "aria-hidden": "true" });
  #picture = el("div", { class: "storyboard__picture" });
  #time = el("span", { class: "storyboard__time" });

  /** @param {HTMLElement} line @param {string} url of the WebVTT @param {number} lengthS of the video */
  constructor(line, url, lengthS) {
    this.#line = line;
    this.#url = new URL(url, location.href).href;
    this.#lengthS = lengthS;
    this.#box.append(this.#picture, this.#time);
    line.append(this.#box);
    line.addEventListener("pointermove", (event) => this.#show(event.clientX));
    line.addEventListener("pointerdown", (event) => this.#show(event.clientX));
    for (const over of ["pointerleave", "pointerup", "pointercancel"]) line.addEventListener(over, () => this.#hide());
  }

  #hide() {
    this.#at = null;
    this.#box.hidden = true;
  }

  #show(clientX) {
    this.#at = clientX;
    if (!this.#pictures) this.#fetch();
    const { left, width } = this.#line.getBoundingClientRect();
    const second = Math.max(0, Math.min(1, (clientX - left) / width)) * this.#lengthS;
    const found = this.#pictures?.find(({ start, end }) => start <= second && second < end) ?? this.#pictures?.at(-1);
    if (!found) return;
    const { style } = this.#picture;
    style.width = `${found.width}px`;
    style.height = `${found.height}px`;
    style.backgroundImage = `url("${found.url}")`;
    style.backgroundPosition = `-${found.x}px -${found.y}px`;
    this.#time.textContent = duration(second);
    this.#box.style.left = `${placed(clientX - left, found.width, width)}px`;
    this.#box.hidden = false;
  }

  /** Without them the line works as before. */
  async #fetch() {
    this.#pictures = [];
    try {
      const response = await fetch(this.#url, { credentials: "same-origin" });
      if (!response.ok) return;
      this.#pictures = parse(await response.text(), this.#url);
      if (this.#at !== null) this.#show(this.#at); // who pointed and waits
    } catch {
      this.#pictures = null; // the network may be back when somebody points again
    }
  }
}
