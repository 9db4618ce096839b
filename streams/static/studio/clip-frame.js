// What of the picture a clip shows: its shape, and a window in the picture that one moves.

import { all, one, show } from "../livecommerce/dom.js";

const PROPORTIONS = { vertical: 9 / 16, square: 1 };
const STEP = 0.02;
const BIG_STEP = 0.1;
const LONGEST_SIDE = 480;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class ClipFrame {
  #video;
  #canvas = /** @type {HTMLCanvasElement} */ (one("#frame-picture"));
  #window = one("#frame-window");
  #size = /** @type {HTMLInputElement} */ (one("#frame-size"));
  #crop = { x: 0.5, y: 0.5, size: 1 };

  /** @param {HTMLVideoElement} video whose present picture is shown */
  constructor(video) {
    this.#video = video;
    for (const name of ["loadeddata", "seeked", "timeupdate"]) video.addEventListener(name, () => this.#draw());
    for (const input of all('[name="shape"], [name="fit"]')) input.addEventListener("change", () => this.#draw());
    this.#size.addEventListener("input", () => this.#move({ size: Number(this.#size.value) / 100 }));
    this.#window.addEventListener("keydown", (event) => this.#onKey(event));
    this.#window.addEventListener("pointerdown", (event) => this.#onGrab(event));
    one("#frame-centre").addEventListener("click", () => this.#move({ x: 0.5, y: 0.5 }));
    this.#draw();
  }

  /** As the API takes it. */
  get wish() {
    return { shape: chosen("shape"), fit: chosen("fit"), crop: { ...this.#crop } };
  }

  /** As another clip has it. */
  take({ shape, fit, crop }) {
    choose("shape", shape);
    choose("fit", fit);
    this.#crop = { ...crop };
    this.#size.value = String(Math.round(crop.size * 100));
    this.#draw();
  }

  #onKey(event) {
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    const step = event.shiftKey ? BIG_STEP : STEP;
    this.#move({ x: this.#crop.x + move[0] * step, y: this.#crop.y + move[1] * step });
  }

  #onGrab(event) {
    this.#window.setPointerCapture(event.pointerId);
    const from = { x: event.clientX, y: event.clientY, crop: { ...this.#crop } };
    const follow = (moved) => {
      const box = one("#frame").getBoundingClientRect();
      const { width, height } = this.#part();
      const free = { x: box.width * (1 - width), y: box.height * (1 - height) };
      const along = (axis, by) => (free[axis] > 1 ? from.crop[axis] + by / free[axis] : from.crop[axis]);
      this.#move({ x: along("x", moved.clientX - from.x), y: along("y", moved.clientY - from.y) });
    };
    this.#window.addEventListener("pointermove", follow);
    this.#window.addEventListener("lostpointercapture", () => this.#window.removeEventListener("pointermove", follow), { once: true });
  }

  #move(changes) {
    Object.assign(this.#crop, changes);
    for (const axis of ["x", "y"]) this.#crop[axis] = Math.max(0, Math.min(1, this.#crop[axis]));
    this.#place();
  }

  /** The window's sides, as parts of the picture's. */
  #part() {
    const [wide, high] = this.#source();
    const proportion = PROPORTIONS[chosen("shape")];
    const width = Math.min(wide, high * proportion) * this.#crop.size;
    return { width: width / wide, height: width / proportion / high };
  }

  #source() {
    return [this.#video.videoWidth || 16, this.#video.videoHeight || 9];
  }

  #draw() {
    const isOriginal = chosen("shape") === "original";
    const isPadded = !isOriginal && chosen("fit") === "blur";
    show(one("#fit"), !isOriginal);
    show(this.#window, !isOriginal && !isPadded);
    show(one("#frame-tools"), !isOriginal && !isPadded);
    this.#paint(isPadded);
    if (!isOriginal && !isPadded) this.#place();
  }

  #paint(isPadded) {
    const [wide, high] = this.#source();
    const proportion = isPadded ? PROPORTIONS[chosen("shape")] : wide / high;
    this.#canvas.width = Math.round(proportion < 1 ? LONGEST_SIDE * proportion : LONGEST_SIDE);
    this.#canvas.height = Math.round(proportion < 1 ? LONGEST_SIDE : LONGEST_SIDE / proportion);
    if (this.#video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    const pen = this.#canvas.getContext("2d");
    if (isPadded) {
      pen.filter = "blur(14px)";
      this.#paintAs(pen, Math.max);
      pen.filter = "none";
    }
    this.#paintAs(pen, Math.min);
  }

  #paintAs(pen, choose) {
    const [wide, high] = this.#source();
    const { width, height } = this.#canvas;
    const scale = choose(width / wide, height / high);
    pen.drawImage(this.#video, (width - wide * scale) / 2, (height - high * scale) / 2, wide * scale, high * scale);
  }

  #place() {
    const { width, height } = this.#part();
    const [left, top] = [(1 - width) * this.#crop.x, (1 - height) * this.#crop.y];
    const percent = (value) => `${(value * 100).toFixed(2)}%`;
    Object.assign(this.#window.style, { left: percent(left), top: percent(top), width: percent(width), height: percent(height) });
    const whole = (value) => `${Math.round(value * 100)}%`;
    const words = { left: whole(left), top: whole(top), width: whole(width) };
    one("#frame-words").textContent = interpolate(gettext("%(left)s from the left, %(top)s from the top, %(width)s wide"), words, true);
  }
}

function choose(name, value) {
  /** @type {HTMLInputElement} */ (one(`[name="${name}"][value="${value}"]`)).checked = true;
}

function chosen(name) {
  return /** @type {HTMLInputElement} */ (one(`[name="${name}"]:checked`)).value;
}
