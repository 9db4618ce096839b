// The camera side of the console: preview, choice of devices, going live, and saying how it goes.

import { el, one, show } from "../livecommerce/dom.js";
import { duration } from "../livecommerce/format.js";
import { Broadcaster } from "./broadcaster.js";
import { CameraWatch, SoundLevel } from "./camera-watch.js";
import { Camera, explain } from "./camera.js";
import { PreFlight } from "./preflight.js";
import { goLiveWords, stageWords } from "./stage-words.js";
import { bestFormat } from "./take.js";
import { QUALITIES } from "./uplink.js";
import { megabytes } from "./words.js";

const BUSY = "already_broadcasting";
const FINE = { camera: false, picture: false, sound: false };
// A moment in the background shows nothing to anybody.
const AWAY_TOLD_MS = 2_000;

export class Stage {
  #camera = new Camera();
  #broadcaster;
  #preFlight;
  #watch = null;
  #level = null;
  #wakeLock = null;
  #room = { startedAt: null, interrupted: false };
  #troubles = FINE;
  #opening = 0;
  #lastUse = Promise.resolve();
  #hiddenAt = 0;
  #mark;
  #isRehearsal;
  #isPractice;

  /** `onPassed(names)` hears which of the checks before the show were passed. */
  constructor(ingestUrl, { isRehearsal = false, isPractice = false, onPassed = () => {} } = {}) {
    this.#isRehearsal = isRehearsal;
    this.#isPractice = isPractice;
    this.#mark = new Mark(ingestUrl);
    this.#broadcaster = new Broadcaster(ingestUrl, one("#preview"));
    this.#broadcaster.addEventListener("change", () => this.#changed());
    this.#preFlight = new PreFlight(ingestUrl, () => this.#look(), () => this.#draw(), onPassed);
    one("#go-live").addEventListener("click", () => this.#goLive());
    one("#camera-again").addEventListener("click", () => this.open());
    one("#flip").addEventListener("click", () => this.#use(() => this.#camera.flip()));
    this.#listenToChoice("#cameras", "cameraId");
    this.#listenToChoice("#microphones", "microphoneId");
    this.#listenToChoice("#shapes", "shape");
    one("#away-close").addEventListener("click", () => show(one("#away"), false));
    addEventListener("beforeunload", (event) => this.#isNeeded && event.preventDefault());
    document.addEventListener("visibilitychange", () => this.#seen());
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#devicesChanged());
    setInterval(() => this.#drawTime(), 1000);
  }

  /** Open the camera, for the first time or once more. */
  async open() {
    this.#preFlight.start();
    await this.#use(() => this.#camera.open());
  }

  /** What the room tells of the show: when it began (ISO 8601), whether its camera is away. */
  know({ startedAt = this.#room.startedAt, interrupted }) {
    this.#room = { startedAt, interrupted };
    this.#draw();
    this.#drawTime();
  }

  /** Stop the broadcast; resolves to whether everything recorded has arrived. Else wait for `rest`. */
  async stop() {
    this.#mark.clear();
    const arrived = await this.#broadcaster.stop();
    this.#unwatch();
    this.#preFlight.stop();
    this.#camera.close();
    return arrived;
  }

  /** Settles when what is left was sent, or given up. */
  rest() {
    return this.#broadcaster.rest();
  }

  /** Seconds of recording that are still here. */
  get leftSeconds() {
    return this.#broadcaster.waitingSeconds + this.#broadcaster.keptSeconds;
  }

  giveUpRest() {
    this.#broadcaster.giveUp();
  }

  close() {
    this.#broadcaster.close();
    this.#wakeLock?.release();
  }

  #look() {
    const { stream, error } = this.#camera;
    return { stream, error, loudest: this.#level?.loudest ?? 0, heardMs: this.#level?.heardMs ?? 0 };
  }

  /** One camera after the other, however fast the host taps. */
  #use(openCamera) {
    this.#opening += 1;
    this.#lastUse = this.#lastUse.then(() => this.#show(openCamera));
    return this.#lastUse.finally(() => (this.#opening -= 1));
  }

  async #show(openCamera) {
    show(one("#camera-problem"), false);
    this.#unwatch();
    // The recorder holds on to the camera, and many phones open one at a time only.
    await this.#broadcaster.pause();
    try {
      const stream = await openCamera();
      this.#watchOver(stream);
      await this.#drawDevices();
      await this.#broadcaster.resume(stream);
    } catch (error) {
      this.#complain(error);
      if (this.#broadcaster.isOnAir) await this.#goOnWithoutPicture();
    }
    this.#draw();
  }

  // A host whose camera is gone can still be heard, until it is back or another one is chosen.
  async #goOnWithoutPicture() {
    try {
      const stream = await this.#camera.openSound();
      this.#watchOver(stream);
      await this.#broadcaster.resume(stream);
    } catch {
      this.#trouble("camera", true);
    }
  }

  #complain(error) {
    one("#camera-problem-text").textContent = explain(error);
    show(one("#camera-problem"), true);
  }

  #watchOver(stream) {
    const preview = one("#preview");
    const hasPicture = stream.getVideoTracks().length > 0;
    this.#troubles = { ...FINE, picture: !hasPicture };
    this.#watch = new CameraWatch(stream, preview);
    this.#watch.addEventListener("ended", () => this.#cameraLost());
    this.#watch.addEventListener("turned", () => this.#broadcaster.turned());
    this.#watch.addEventListener("picture", ({ detail }) => this.#pictureIs(detail.isThere));
    this.#watch.addEventListener("sound", ({ detail }) => this.#trouble("sound", !detail.isThere));
    if (hasPicture) preview.srcObject = stream;
    this.#level = new SoundLevel(stream, one("#level"));
    this.#broadcaster.pictureIs(hasPicture);
  }

  #unwatch() {
    this.#watch?.stop();
    this.#level?.stop();
    this.#watch = this.#level = null;
  }

  // A phone call or a pulled plug took the camera. While another is being opened, that is why.
  #cameraLost() {
    if (this.#opening === 0) this.#use(() => this.#camera.open());
  }

  // Plugged in again, or another one: what was missing may be there now.
  #devicesChanged() {
    if (this.#camera.stream?.getVideoTracks().length) this.#drawDevices();
    else if (this.#opening === 0) this.#use(() => this.#camera.open());
  }

  #pictureIs(isThere) {
    this.#broadcaster.pictureIs(isThere);
    this.#trouble("picture", !isThere);
  }

  #trouble(kind, isThere) {
    this.#troubles = { ...this.#troubles, [kind]: isThere };
    this.#draw();
  }

  async #goLive() {
    const { stream } = this.#camera;
    if (!stream) return;
    const takesOver = this.#isTaken || this.#mark.wasHere || this.#isFilmedElsewhere;
    this.#preFlight.stop();
    this.#mark.set();
    this.#keepAwake();
    await this.#broadcaster.start(stream, { quality: this.#preFlight.quality, takesOver });
  }

  #changed() {
    if (["moved", "refused"].includes(this.#broadcaster.state)) {
      this.#mark.clear();
      if (!this.#isNeeded) this.#wakeLock?.release();
    }
    this.#draw();
  }

  /** Whether closing this page would lose something. */
  get #isNeeded() {
    return this.#broadcaster.isOnAir || this.#broadcaster.keptSeconds > 0;
  }

  get #isTaken() {
    return [BUSY, "taken_over"].includes(this.#broadcaster.problem?.code);
  }

  get #isFilmedElsewhere() {
    return this.#room.startedAt !== null && !this.#room.interrupted;
  }

  #seen() {
    if (document.visibilityState === "visible") this.#returned();
    else this.#hiddenAt = performance.now();
  }

  // Phones stop the camera of a page that is not seen; its host has to know what viewers saw.
  #returned() {
    this.#keepAwake();
    const awayMs = performance.now() - this.#hiddenAt;
    if (!this.#broadcaster.isOnAir || awayMs < AWAY_TOLD_MS) return;
    const seconds = Math.round(awayMs / 1000);
    one("#away-text").textContent = interpolate(
      ngettext(
        "This page was away for %s second. Stay here while you film, or viewers see no picture.",
        "This page was away for %s seconds. Stay here while you film, or viewers see no picture.",
        seconds,
      ),
      [seconds],
    );
    show(one("#away"), true);
  }

  // A phone that falls asleep stops filming.
  async #keepAwake() {
    const isWanted = this.#isNeeded && document.visibilityState === "visible";
    if (!isWanted || !navigator.wakeLock) return;
    try {
      this.#wakeLock = await navigator.wakeLock.request("screen");
    } catch (error) {
      // Refused on low battery; the show goes on without it.
      if (error.name !== "NotAllowedError") throw error;
    }
  }

  #listenToChoice(selector, key) {
    const select = one(selector);
    select.addEventListener("change", () => this.#use(() => this.#camera.open({ [key]: select.value })));
  }

  async #drawDevices() {
    const { cameras, microphones } = await this.#camera.devices();
    drawChoice("camera", cameras, this.#camera.cameraId);
    drawChoice("microphone", microphones, this.#camera.microphoneId);
    show(one("#flip"), cameras.length > 1);
    one("#preview").classList.toggle("is-mirrored", this.#camera.isFacingHost);
  }

  #draw() {
    const { state, problem, acknowledgedBytes, quality, isOnAir } = this.#broadcaster;
    const situation = {
      room: this.#room,
      wasHere: this.#mark.wasHere,
      isTaken: this.#isTaken,
      troubles: this.#troubles,
      check: this.#preFlight?.worst,
      hasCamera: this.#camera.stream !== null,
      isRehearsal: this.#isRehearsal,
      isPractice: this.#isPractice,
    };
    one("#preview-box").dataset.state = state;
    one("#preview-box").dataset.quality = QUALITIES[quality].name;
    say("#status", stageWords(this.#broadcaster, situation));
    say("#go-live-text", goLiveWords(this.#broadcaster, situation));
    one("#go-live").disabled = !this.#camera.stream || !bestFormat();
    show(one("#go-live"), !isOnAir);
    show(one("#checks-open"), !isOnAir && !this.#room.startedAt);
    say("#problem", problem?.message || gettext("The server did not accept the picture."));
    show(one("#problem"), state === "refused");
    say("#sent", interpolate(gettext("%s safely stored"), [megabytes(acknowledgedBytes)]));
    show(one("#sent"), acknowledgedBytes > 0);
    drawBadge(state, this.#isRehearsal, this.#isPractice);
  }

  #drawTime() {
    const { startedAt } = this.#room;
    const badge = one("#air-time");
    show(badge, startedAt !== null);
    if (startedAt) badge.textContent = duration((Date.now() - new Date(startedAt)) / 1000);
  }
}

/** Remembers, through a reload of this page, that it was filming this show. */
class Mark {
  #key;

  constructor(ingestUrl) {
    this.#key = `filming:${new URL(ingestUrl).pathname}`;
    this.wasHere = sessionStorage.getItem(this.#key) !== null;
  }

  set() {
    sessionStorage.setItem(this.#key, "1");
  }

  clear() {
    sessionStorage.removeItem(this.#key);
    this.wasHere = false;
  }
}

// A screen reader reads a status again whenever it is written, even if nothing has changed.
function say(selector, text) {
  const element = one(selector);
  if (element.textContent !== text) element.textContent = text;
}

function drawChoice(name, devices, currentId) {
  const select = one(`#${name}s`);
  const options = devices.map(({ deviceId, label }, index) =>
    el("option", { value: deviceId, selected: deviceId === currentId }, label || `${index + 1}`),
  );
  select.replaceChildren(...options);
  show(one(`#${name}-choice`), devices.length > 1);
}

function drawBadge(state, isRehearsal, isPractice) {
  const unreal = isPractice ? gettext("Practice") : isRehearsal ? gettext("Rehearsal") : "";
  const badge = one("#air-badge");
  const looks = {
    live: unreal ? ["badge--rehearsal", unreal] : ["badge--live", gettext("Live")],
    connecting: ["badge--warn", gettext("Connecting")],
    waiting: ["badge--warn", gettext("No network")],
    full: ["badge--warn", gettext("No network")],
    finishing: ["badge--warn", gettext("Finishing")],
  };
  const [kind, word] = looks[state] ?? ["", unreal || gettext("Not live")];
  badge.className = `badge ${kind}`;
  say("#air-badge", word);
}
