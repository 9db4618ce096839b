/** The line under a replay: when which product was shown, how much was sold when, and where one is. */

import { el, icon, one } from "../livecommerce/dom.js";
import { duration, money } from "../livecommerce/format.js";

/** Bars of the chart: as many as can be told apart on a narrow phone. */
const BARS = 48;
const STEP_S = 5;

/**
 * @typedef {{start_s: number, end_s: number, offer_id: string, title: string, price_minor: number, currency: string, image_url: string|null}} Chapter
 * @typedef {{media_s: number, quantity: number}} Sold
 */

/** @param {Chapter[]} chapters @param {number} second @returns {Chapter|undefined} */
export function chapterAt(chapters, second) {
  return chapters.find(({ start_s, end_s }) => start_s <= second && second < end_s);
}

/**
 * Pieces sold in each of `count` equal stretches of a recording.
 *
 * @param {Sold[]} sold @param {number} lengthS @param {number} count @returns {number[]}
 */
export function soldPerBar(sold, lengthS, count) {
  const bars = new Array(count).fill(0);
  for (const { media_s: at, quantity } of sold) bars[Math.min(count - 1, Math.floor((at / lengthS) * count))] += quantity;
  return bars;
}

/**
 * What buying now is like, compared with the moment that one watches.
 *
 * @param {Chapter} chapter @param {import("./room-state.js").Offer|undefined} offer as it is now
 * @returns {{text: string, differs: boolean}} `differs` where it should be said aloud
 */
export function nowText(chapter, offer) {
  if (!offer) return { text: gettext("No longer on sale"), differs: true };
  const price = money(offer.price_minor, offer.currency);
  const then = money(chapter.price_minor, chapter.currency);
  const same = price === then;
  if (offer.available <= 0) return { text: gettext("Sold out"), differs: true };
  if (same) return { text: price, differs: false };
  return { text: interpolate(gettext("Now %(price)s, in the show %(then)s"), { price, then }, true), differs: true };
}

export class Moments {
  #bar = one("#moments-bar");
  #line = one("#moments-line");
  #second = -1;

  /**
   * @param {{chapters: Chapter[], sold: Sold[], lengthS: number, seek: (second: number) => void}} show
   */
  constructor({ chapters, sold, lengthS, seek }) {
    Object.assign(this, { chapters, sold, lengthS, seek });
    this.chips = chapters.map((chapter) => this.#chip(chapter));
    one("#moments-list").replaceChildren(...this.chips);
    this.#bar.setAttribute("aria-valuemax", String(Math.round(lengthS)));
    this.#bar.replaceChildren(...chapters.map((chapter) => this.#part(chapter)));
    this.#drawSold();
    this.#listen();
    this.moveTo(0);
  }

  /** @param {number} second that is played now */
  moveTo(second) {
    if (second === this.#second) return;
    this.#second = second;
    one("#moments-playhead").style.left = this.#percent(second);
    const now = chapterAt(this.chapters, second);
    this.#bar.setAttribute("aria-valuenow", String(Math.round(second)));
    this.#bar.setAttribute("aria-valuetext", now ? `${duration(second)}, ${now.title}` : duration(second));
    this.#markCurrent(now);
  }

  /** @param {Map<string, import("./room-state.js").Offer>} offers as they are now */
  showPrices(offers) {
    this.chapters.forEach((chapter, number) => {
      const { text, differs } = nowText(chapter, offers.get(chapter.offer_id));
      const note = one(".moment__price", this.chips[number]);
      note.textContent = text;
      note.classList.toggle("moment__price--differs", differs);
    });
  }

  /** Buttons for each moment at which one product was explained. @param {string} offerId */
  timesOf(offerId) {
    return this.chapters.filter(({ offer_id: id }) => id === offerId).map((chapter) => this.#time(chapter));
  }

  #time({ start_s: start, title }) {
    const label = interpolate(gettext("Play from %(time)s: %(title)s"), { time: duration(start), title }, true);
    const attributes = { class: "offer__moment", type: "button", data: { second: start }, "aria-label": label };
    return el("button", { ...attributes, on: { click: () => this.seek(start) } }, icon("play"), duration(start));
  }

  #chip(chapter) {
    const { start_s: start, title, image_url: image } = chapter;
    const picture = image
      ? el("img", { class: "moment__picture", src: image, alt: "", width: 40, height: 40, loading: "lazy" })
      : el("span", { class: "moment__picture moment__picture--none" }, icon("apple"));
    const words = el(
      "span",
      { class: "moment__words" },
      el("span", { class: "moment__title" }, el("b", { class: "number" }, duration(start)), " ", title),
      el("span", { class: "moment__price" }),
    );
    const attributes = { class: "moment", type: "button", data: { second: start } };
    return el("li", {}, el("button", { ...attributes, on: { click: () => this.seek(start) } }, picture, words));
  }

  #part({ start_s: start, end_s: end, title }) {
    const part = el("span", { class: "moments__part", title: `${duration(start)} ${title}` });
    part.style.left = this.#percent(start);
    part.style.width = `calc(${this.#percent(end - start)} - 2px)`;
    return part;
  }

  #markCurrent(now) {
    this.chips.forEach((chip, number) => {
      const button = one("button", chip);
      const isNow = this.chapters[number] === now;
      if (isNow === button.hasAttribute("aria-current")) return;
      if (!isNow) return button.removeAttribute("aria-current");
      button.setAttribute("aria-current", "true");
      const list = one("#moments-list");
      list.scrollTo({ left: chip.offsetLeft - list.offsetLeft - 16, behavior: "smooth" });
    });
  }

  #drawSold() {
    const counts = soldPerBar(this.sold, this.lengthS, BARS);
    const most = Math.max(1, ...counts);
    one("#moments-sold").replaceChildren(...counts.map((count, number) => this.#soldBar(count, number, most)));
    const all = counts.reduce((sum, count) => sum + count, 0);
    const text = interpolate(ngettext("%s sold in the show", "%s sold in the show", all), [all]);
    one("#moments-total").textContent = all ? text : "";
  }

  #soldBar(count, number, most) {
    const from = duration((number * this.lengthS) / BARS);
    const to = duration(((number + 1) * this.lengthS) / BARS);
    const words = ngettext("%(from)s to %(to)s: %(count)s sold", "%(from)s to %(to)s: %(count)s sold", count);
    const label = count ? interpolate(words, { from, to, count }, true) : null;
    const about = count ? { role: "listitem", title: label, "aria-label": label, data: { sold: count } } : { "aria-hidden": "true" };
    const bar = el("span", about);
    bar.style.height = count ? `${Math.max(12, (count / most) * 100)}%` : "0";
    return bar;
  }

  #listen() {
    this.#line.addEventListener("pointerdown", (event) => {
      this.#line.setPointerCapture(event.pointerId);
      this.seek(this.#secondAt(event.clientX), { goOn: false });
    });
    this.#line.addEventListener("pointermove", (event) => {
      if (this.#line.hasPointerCapture(event.pointerId)) this.seek(this.#secondAt(event.clientX), { goOn: false });
    });
    this.#bar.addEventListener("keydown", (event) => {
      const to = this.#secondFor(event.key);
      if (to === null) return;
      event.preventDefault();
      this.seek(Math.max(0, Math.min(this.lengthS, to)), { goOn: false });
    });
  }

  #secondFor(key) {
    const now = this.#second;
    const starts = this.chapters.map(({ start_s: start }) => start);
    switch (key) {
      case "ArrowRight":
      case "ArrowUp":
        return now + STEP_S;
      case "ArrowLeft":
      case "ArrowDown":
        return now - STEP_S;
      case "PageDown":
        return starts.find((start) => start > now + 0.5) ?? this.lengthS;
      case "PageUp":
        return starts.findLast((start) => start < now - 1) ?? 0;
      case "Home":
        return 0;
      case "End":
        return this.lengthS;
      default:
        return null;
    }
  }

  #secondAt(clientX) {
    const { left, width } = this.#line.getBoundingClientRect();
    return Math.max(0, Math.min(1, (clientX - left) / width)) * this.lengthS;
  }

  #percent(seconds) {
    return `${Math.max(0, Math.min(100, (seconds / this.lengthS) * 100))}%`;
  }
}
