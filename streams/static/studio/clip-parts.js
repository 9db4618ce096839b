// The parts of a lesson in their order, and what is blurred in it.

import { el, icon, one, show } from "../livecommerce/dom.js";
import { duration } from "../livecommerce/format.js";
import { exactTime } from "./words.js";

const MOST = 20;
const LONGEST_S = 180;

export class ClipParts {
  #parts = [];
  #blurs = [];
  #play;

  /** @param {(part: {start_s: number, end_s: number}) => void} play */
  constructor(play) {
    this.#play = play;
    this.#draw();
  }

  get isEmpty() {
    return this.#parts.length === 0;
  }

  /** @param {{start_s: number, end_s: number}} part */
  add({ start_s, end_s }) {
    if (this.#parts.length >= MOST) return tell(interpolate(gettext("A lesson has %s parts at most."), [MOST]));
    const other = this.#parts.find((one) => one.start_s < end_s && start_s < one.end_s);
    if (other) return tell(interpolate(gettext("%s is in it already: each moment can be shown once."), [span(other)]));
    this.#parts.push({ start_s, end_s });
    this.#draw();
  }

  blur({ start_s, end_s }) {
    const isThere = this.#blurs.some((one) => one.start_s === start_s && one.end_s === end_s);
    if (!isThere && this.#blurs.length < MOST) this.#blurs.push({ start_s, end_s, muted: false });
    this.#draw();
  }

  clear() {
    [this.#parts, this.#blurs] = [[], []];
    this.#draw();
  }

  /** Those of a clip that is cut again; a single part is marked, and not here. */
  take({ parts, blurs }) {
    this.#parts = parts.length > 1 ? parts.map((part) => ({ ...part })) : [];
    this.#blurs = blurs.map((blur) => ({ ...blur }));
    this.#draw();
  }

  /** As the API takes it; of a single part that was only marked, start and end. */
  wish(marked) {
    const blurs = this.#blurs.map((one) => ({ ...one }));
    return this.#parts.length ? { parts: this.#parts.map(rounded), blurs: blurs.map(rounded) } : { ...rounded(marked), blurs: blurs.map(rounded) };
  }

  #draw() {
    one("#parts").replaceChildren(...this.#parts.map((part, index) => this.#partRow(part, index)));
    one("#blurs").replaceChildren(...this.#blurs.map((blur, index) => this.#blurRow(blur, index)));
    show(one("#parts-box"), this.#parts.length > 0);
    show(one("#blurs-box"), this.#blurs.length > 0);
    const lasts = this.#parts.reduce((sum, part) => sum + part.end_s - part.start_s, 0);
    const text = ngettext("%(count)s part, %(length)s together", "%(count)s parts, %(length)s together", this.#parts.length);
    const words = { count: this.#parts.length, length: duration(lasts) };
    const tooLong = lasts > LONGEST_S ? gettext("Three minutes is the most.") : "";
    tell(this.#parts.length ? `${interpolate(text, words, true)} ${tooLong}`.trim() : "");
  }

  #partRow(part, index) {
    const where = span(part);
    const move = (to) => this.#reorder(index, to);
    return el(
      "li",
      { class: "clip-part" },
      el("b", { class: "number clip-part__where" }, where),
      tool("play", interpolate(gettext("Play %s"), [where]), () => this.#play(part)),
      tool("up", interpolate(gettext("Move %s up"), [where]), () => move(index - 1), index === 0),
      tool("down", interpolate(gettext("Move %s down"), [where]), () => move(index + 1), index === this.#parts.length - 1),
      tool("trash", interpolate(gettext("Take %s out"), [where]), () => this.#remove(this.#parts, index)),
    );
  }

  #blurRow(blur, index) {
    const where = span(blur);
    const mute = el("input", { type: "checkbox", checked: blur.muted, on: { change: ({ target }) => (blur.muted = target.checked) } });
    return el(
      "li",
      { class: "clip-part" },
      el("span", { class: "number clip-part__where" }, where),
      el("label", { class: "choice choice--small" }, mute, el("span", {}, gettext("without sound"))),
      tool("trash", interpolate(gettext("Do not blur %s"), [where]), () => this.#remove(this.#blurs, index)),
    );
  }

  #reorder(index, to) {
    const [moved] = this.#parts.splice(index, 1);
    this.#parts.splice(to, 0, moved);
    this.#draw();
    // The same button of the same part, so that it can be pressed again.
    const buttons = one("#parts").children[to].querySelectorAll("button");
    const [up, down] = [buttons[1], buttons[2]];
    const wanted = to < index ? up : down;
    (wanted.disabled ? (wanted === up ? down : up) : wanted).focus();
  }

  #remove(list, index) {
    list.splice(index, 1);
    this.#draw();
    one("#add-part").focus();
  }
}

function tool(name, label, onClick, disabled = false) {
  return el("button", { type: "button", class: "button button--icon", "aria-label": label, disabled, on: { click: onClick } }, icon(name));
}

function span({ start_s, end_s }) {
  return `${exactTime(start_s)} – ${exactTime(end_s)}`;
}

function tell(text) {
  one("#parts-told").textContent = text;
}

function rounded(part) {
  return { ...part, start_s: thousandths(part.start_s), end_s: thousandths(part.end_s) };
}

function thousandths(value) {
  return Math.round(value * 1000) / 1000;
}
