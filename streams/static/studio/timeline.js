// The replay as a line: where products were shown, when people bought, and the part to cut out.

import { el, icon, one } from "../livecommerce/dom.js";
import { duration } from "../livecommerce/format.js";

const BARS = 60;
const STEP_S = 1;
const FINE_STEP_S = 0.1;

/** `onMove({start_s, end_s})` hears every change made here; `onSeek(seconds)` asks for a place. */
export class Timeline {
  #lengthS;
  #part;
  #onMove;
  #onSeek;
  #track = one("#timeline-track");

  constructor({ lengthS, part, onMove, onSeek }) {
    this.#lengthS = lengthS;
    this.#part = { ...part };
    this.#onMove = onMove;
    this.#onSeek = onSeek;
    one("#timeline-length").textContent = duration(lengthS);
    this.#makeHandle(one("#handle-start"), "start_s");
    this.#makeHandle(one("#handle-end"), "end_s");
    this.#track.addEventListener("click", (event) => {
      if (!event.target.closest("button")) onSeek(this.#secondsAt(event.clientX));
    });
    this.#draw();
  }

  set part(part) {
    this.#part = { ...part };
    this.#draw();
  }

  set playhead(seconds) {
    one("#timeline-playhead").style.left = this.#percent(seconds);
  }

  /** Mark pins and order bursts from replay entries (`{media_s, type, data}`). */
  mark(entries) {
    const filmed = entries.filter(({ media_s: at }) => at !== null);
    const pins = filmed.filter(({ type }) => type === "product.pinned");
    const orders = filmed.filter(({ type }) => type === "order.placed");
    one("#timeline-pins").replaceChildren(...pins.map((pin) => this.#pinMark(pin)));
    this.#drawBars(orders);
    one("#timeline-words").textContent = `${shownWords(pins.length)} ${orderWords(orders.length)}`;
  }

  #pinMark({ media_s: at, data }) {
    const label = `${duration(at)} ${data.offer?.title ?? ""}`;
    const attributes = { type: "button", class: "timeline__pin", title: label, "aria-label": label };
    const mark = el("button", { ...attributes, on: { click: () => this.#onSeek(at) } }, icon("pin"));
    mark.style.left = this.#percent(at);
    return mark;
  }

  #drawBars(orders) {
    const counts = new Array(BARS).fill(0);
    for (const { media_s: at } of orders) {
      counts[Math.min(BARS - 1, Math.floor((at / this.#lengthS) * BARS))] += 1;
    }
    const most = Math.max(1, ...counts);
    const bars = counts.map((count) => {
      const bar = el("span");
      bar.style.height = `${(count / most) * 100}%`;
      return bar;
    });
    one("#timeline-bars").replaceChildren(...bars);
  }

  #makeHandle(handle, key) {
    handle.setAttribute("aria-valuemax", String(Math.round(this.#lengthS)));
    handle.addEventListener("pointerdown", (event) => handle.setPointerCapture(event.pointerId));
    handle.addEventListener("pointermove", (event) => {
      if (handle.hasPointerCapture(event.pointerId)) this.#move(key, this.#secondsAt(event.clientX));
    });
    handle.addEventListener("keydown", (event) => {
      const direction = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
      if (!direction) return;
      event.preventDefault();
      this.#move(key, this.#part[key] + direction * (event.shiftKey ? FINE_STEP_S : STEP_S));
    });
  }

  #move(key, seconds) {
    const { start_s: start, end_s: end } = this.#part;
    const [least, most] = key === "start_s" ? [0, end - 1] : [start + 1, this.#lengthS];
    this.#part[key] = Math.max(least, Math.min(most, seconds));
    this.#draw();
    this.#onMove({ ...this.#part });
    this.#onSeek(this.#part[key]);
  }

  #draw() {
    const { start_s: start, end_s: end } = this.#part;
    place(one("#handle-start"), start, this.#percent(start));
    place(one("#handle-end"), end, this.#percent(end));
    const range = one("#timeline-range");
    range.style.left = this.#percent(start);
    range.style.width = this.#percent(Math.max(0, end - start));
  }

  #secondsAt(clientX) {
    const { left, width } = this.#track.getBoundingClientRect();
    return Math.max(0, Math.min(1, (clientX - left) / width)) * this.#lengthS;
  }

  #percent(seconds) {
    return `${Math.min(100, (seconds / this.#lengthS) * 100)}%`;
  }
}

function shownWords(times) {
  const text = ngettext("A product was shown %s time.", "A product was shown %s times.", times);
  return interpolate(text, [times]);
}

function orderWords(orders) {
  return interpolate(ngettext("There was %s order.", "There were %s orders.", orders), [orders]);
}

function place(handle, seconds, left) {
  handle.style.left = left;
  handle.setAttribute("aria-valuenow", seconds.toFixed(1));
  handle.setAttribute("aria-valuetext", duration(seconds));
}
