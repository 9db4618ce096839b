/** The list of captions: one box each, and what can be done with the one that is being written. */

import { el, icon, one } from "../../livecommerce/dom.js";
import { momentAt } from "./words.js";
import { clock, typedClock } from "./times.js";

const NUDGE_MS = 100;

export class Rows {
  /** @type {import("./words.js").Cue[]} in another language */ other = [];
  #marked = -1;

  /**
   * @param {HTMLElement} list
   * @param {{cues: import("./cues.js").Cues, video: HTMLVideoElement, onChange: () => void, seek: (ms: number) => void, refuse: (why: string) => void}} parts
   */
  constructor(list, { cues, video, onChange, seek, refuse }) {
    Object.assign(this, { list, cues, video, onChange, seek, refuse });
    this.tools = one("#cue-tools");
    this.tools.remove();
    this.tools.hidden = false;
    list.addEventListener("focusin", (event) => this.#choose(event.target));
    list.addEventListener("change", (event) => this.#changed(event.target));
    list.addEventListener("click", (event) => this.#clicked(event));
    list.addEventListener("keydown", (event) => this.#key(event));
  }

  draw() {
    const focused = this.#placeOf(document.activeElement);
    this.#marked = -1;
    this.tools.remove();
    let from = 0;
    this.list.replaceChildren(...this.cues.list.map((cue, at) => {
      while (from < this.other.length && this.other[from].end_ms <= cue.start_ms) from++;
      return this.#row(cue, at, this.#beside(cue, from));
    }));
    if (focused >= 0) this.focus(Math.min(focused, this.cues.list.length - 1), false);
  }

  #beside(cue, from) {
    const texts = [];
    for (let at = from; at < this.other.length && this.other[at].start_ms < cue.end_ms; at++) texts.push(this.other[at].text);
    return texts.join(" ");
  }

  #row(cue, at, beside) {
    const number = at + 1;
    const label = interpolate(gettext("Caption %(number)s, %(start)s to %(end)s"), { number, start: clock(cue.start_ms), end: clock(cue.end_ms) }, true);
    const box = el("textarea", { class: "cue__text", rows: Math.max(1, Math.ceil(cue.text.length / 32) || 1, cue.text.split("\n").length), "aria-label": label, spellcheck: "true" });
    /** @type {HTMLTextAreaElement} */ (box).value = cue.text;
    const times = el("div", { class: "cue__times" },
      el("button", { type: "button", class: "cue__seek", data: { do: "seek" }, "aria-label": interpolate(gettext("Play from %s"), [clock(cue.start_ms)]) }, icon("play")),
      this.#time("start", cue.start_ms, gettext("Begins at")), el("span", { "aria-hidden": "true" }, "–"), this.#time("end", cue.end_ms, gettext("Ends at")));
    return el("li", { class: "cue", data: { at } }, times, beside ? el("p", { class: "cue__beside muted small" }, beside) : null, box);
  }

  #time(name, ms, label) {
    const box = el("input", { class: "cue__time number", data: { time: name }, autocomplete: "off", "aria-label": label });
    /** @type {HTMLInputElement} */ (box).value = clock(ms);
    return box;
  }

  /** Which caption plays now. @param {number} at */
  mark(at) {
    if (at === this.#marked) return;
    this.list.children[this.#marked]?.removeAttribute("aria-current");
    this.#marked = at;
    const row = this.list.children[at];
    if (!row) return;
    row.setAttribute("aria-current", "true");
    if (!this.video.paused && !this.list.contains(document.activeElement)) row.scrollIntoView({ block: "nearest" });
  }

  /** @param {number} at @param {boolean} [moves] whether the page may scroll there */
  focus(at, moves = true) {
    const box = this.list.children[at]?.querySelector("textarea");
    box?.focus({ preventScroll: !moves });
  }

  /** What is being typed counts, before anything else is done. */
  commit() {
    const box = document.activeElement;
    if (box instanceof HTMLTextAreaElement && this.list.contains(box)) this.#changed(box);
  }

  #placeOf(target) {
    const row = target instanceof Element && this.list.contains(target) ? target.closest(".cue") : null;
    return row ? Number(/** @type {HTMLElement} */ (row).dataset.at) : -1;
  }

  #choose(target) {
    const row = target.closest(".cue");
    if (row && this.tools.parentElement !== row) row.append(this.tools);
  }

  #changed(target) {
    const at = this.#placeOf(target);
    if (at < 0) return;
    if (target instanceof HTMLTextAreaElement) {
      const text = target.value.split("\n").map((line) => line.trim()).filter(Boolean).join("\n");
      if (this.cues.edit(at, text)) this.onChange();
      return;
    }
    const name = target.dataset.time;
    if (!name) return;
    const ms = typedClock(target.value);
    if (ms === null) this.refuse(gettext("Write minutes and seconds, for example 1:05."));
    else if (this.cues.retime(at, { [`${name}_ms`]: ms })) this.onChange();
    else this.refuse(gettext("This time does not go: a caption lasts at least a fifth of a second, between the one above and the one below."));
    target.value = clock(this.cues.list[at][`${name}_ms`]);
  }

  /** A tap into the text leaps to that word; the buttons do what they say. */
  #clicked(event) {
    const at = this.#placeOf(event.target);
    if (at < 0) return;
    if (event.target instanceof HTMLTextAreaElement) {
      const isSame = event.target.value === this.cues.list[at].text;
      if (isSame && event.target.selectionStart === event.target.selectionEnd) this.seek(momentAt(this.cues.list[at], event.target.selectionStart));
      return;
    }
    const wanted = event.target.closest("[data-do]")?.dataset.do;
    if (wanted) this.#do(wanted, at);
  }

  #key(event) {
    const at = this.#placeOf(event.target);
    if (!(event.target instanceof HTMLTextAreaElement) || event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.#do("split", at);
    } else if (event.altKey && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      this.focus(at + (event.key === "ArrowDown" ? 1 : -1));
    }
  }

  #do(wanted, at) {
    const box = this.list.children[at].querySelector("textarea");
    const offset = box?.selectionStart ?? 0;
    if (box) this.#changed(box);
    const now = Math.round(this.video.currentTime * 1000);
    const cue = this.cues.list[at];
    const acts = {
      seek: () => (this.seek(cue.start_ms), this.video.play().catch(() => {}), false),
      split: () => this.cues.split(at, offset),
      merge: () => this.cues.merge(at),
      remove: () => (this.cues.remove(at), true),
      begin: () => this.cues.retime(at, { start_ms: now }),
      end: () => this.cues.retime(at, { end_ms: now }),
      earlier: () => this.cues.shift(at, -NUDGE_MS),
      later: () => this.cues.shift(at, NUDGE_MS),
    };
    if (!acts[wanted]()) return;
    this.draw();
    this.focus(Math.min(at, this.cues.list.length - 1), false);
    this.onChange();
  }
}
