// The check before the show: looks again by itself, and shows a list with ticks.

import { el, icon, one, show } from "../livecommerce/dom.js";
import { batteryCheck, cameraCheck, clockCheck, microphoneCheck, networkCheck, worst } from "./checks.js";
import { probe } from "./probe.js";
import { bestFormat } from "./take.js";
import { qualityFor } from "./uplink.js";

const LOOK_EVERY_MS = 1_000;
const ICONS = { ok: "check", warn: "alert", bad: "close", wait: "clock" };

export class PreFlight {
  /** The check that matters most just now. */
  worst = null;
  #url;
  #look;
  #onChange;
  #trial = null;
  #failure = null;
  #isTrying = false;
  #battery = null;
  #timer = 0;
  #drawn = "";
  #onPassed;
  #told = new Set();

  /**
   * `look()` tells of the camera: `{stream, error, loudest, heardMs}`; `onChange()` is called when
   * another check matters most, `onPassed(names)` when checks have passed that had not before.
   */
  constructor(url, look, onChange, onPassed = () => {}) {
    this.#onPassed = onPassed;
    this.#url = url;
    this.#look = look;
    this.#onChange = onChange;
    const dialog = one("#checks-dialog");
    one("#checks-open").addEventListener("click", () => dialog.showModal());
    one("#checks-close").addEventListener("click", () => dialog.close());
    one("#checks-again").addEventListener("click", () => this.#try());
    addEventListener("online", () => this.#timer && this.#try());
    addEventListener("offline", () => this.#draw());
  }

  /** Begin, or begin anew after a show was on the air. */
  async start() {
    if (this.#timer) return;
    this.#timer = setInterval(() => this.#draw(), LOOK_EVERY_MS);
    this.#try();
    // Told by some browsers only.
    this.#battery = (await navigator.getBattery?.()) ?? null;
    this.#draw();
  }

  stop() {
    // A camera that opened since the last look has passed too.
    if (this.#timer) this.#draw();
    clearInterval(this.#timer);
    this.#timer = 0;
    one("#checks-dialog").close();
  }

  /** The quality that the network carried when it was tried. */
  get quality() {
    return this.#trial ? qualityFor(this.#trial.bitsPerSecond) : 0;
  }

  async #try() {
    if (this.#isTrying) return;
    this.#isTrying = true;
    this.#trial = this.#failure = null;
    this.#draw();
    try {
      this.#trial = await probe(this.#url);
    } catch (failure) {
      this.#failure = failure;
    }
    this.#isTrying = false;
    this.#draw();
  }

  #checks() {
    const camera = { ...this.#look(), canRecord: bestFormat() !== null };
    const network = { trial: this.#trial, failure: this.#failure, isOnline: navigator.onLine };
    return [
      cameraCheck(camera),
      microphoneCheck(camera),
      networkCheck(network),
      clockCheck(network),
      batteryCheck(this.#battery),
    ].filter(Boolean);
  }

  /** A network that carries a smaller picture only has passed too. */
  #tellPassed(checks) {
    const passes = ({ name, state }) => state === "ok" || (name === "network" && state === "warn");
    const fresh = checks.filter(passes).map(({ name }) => name).filter((name) => !this.#told.has(name));
    for (const name of fresh) this.#told.add(name);
    if (fresh.length) this.#onPassed(fresh);
  }

  #draw() {
    const checks = this.#checks();
    const drawing = JSON.stringify(checks);
    if (drawing === this.#drawn) return;
    this.#drawn = drawing;
    this.#tellPassed(checks);
    this.worst = worst(checks);
    one("#checks").replaceChildren(...checks.map(row));
    drawSummary(checks, this.worst.state);
    this.#onChange();
  }
}

function row({ name, state, text }) {
  const words = { ok: gettext("Fine:"), warn: gettext("Look at this:"), bad: gettext("Wrong:"), wait: gettext("Wait:") };
  return el(
    "li",
    { class: `check check--${state}`, data: { check: name, state } },
    icon(ICONS[state]),
    el("span", { class: "visually-hidden" }, words[state]),
    el("span", {}, text),
  );
}

function drawSummary(checks, state) {
  const fine = checks.filter((one) => one.state === "ok").length;
  const button = one("#checks-open");
  button.dataset.state = state;
  button.replaceChildren(icon(ICONS[state]), interpolate(gettext("%s of %s"), [fine, checks.length]));
  button.title = interpolate(gettext("Check before the show: %s of %s are fine"), [fine, checks.length]);
  show(one("#checks-fine"), state === "ok");
}
