// The camera side of the console: preview, choice of devices, going live, and saying how it goes.

import { el, one, show } from "../livecommerce/dom.js";
import { duration } from "../livecommerce/format.js";
import { Broadcaster } from "./broadcaster.js";
import { Camera, explain, watchLevel } from "./camera.js";
import { bestFormat } from "./take.js";
import { megabytes } from "./words.js";

export class Stage {
  #camera = new Camera();
  #broadcaster;
  #stopLevel = () => {};
  #wakeLock = null;
  #room = { startedAt: null, interrupted: false };
  #opening = 0;
  #lastUse = Promise.resolve();

  constructor(ingestUrl) {
    this.#broadcaster = new Broadcaster(ingestUrl);
    this.#broadcaster.addEventListener("change", () => this.#draw());
    this.#broadcaster.addEventListener("camera-lost", () => this.#cameraLost());
    one("#go-live").addEventListener("click", () => this.#goLive());
    one("#camera-again").addEventListener("click", () => this.#use(() => this.#camera.open()));
    one("#flip").addEventListener("click", () => this.#use(() => this.#camera.flip()));
    this.#listenToChoice("#cameras", "cameraId");
    this.#listenToChoice("#microphones", "microphoneId");
    addEventListener("beforeunload", (event) => this.#broadcaster.isOnAir && event.preventDefault());
    document.addEventListener("visibilitychange", () => this.#keepAwake());
    setInterval(() => this.#drawTime(), 1000);
  }

  /** Open the camera for the first time. */
  open() {
    return this.#use(() => this.#camera.open());
  }

  /** What the room tells of the show: when it began (ISO 8601), whether its camera is away. */
  know({ startedAt = this.#room.startedAt, interrupted }) {
    this.#room = { startedAt, interrupted };
    this.#draw();
    this.#drawTime();
  }

  /** Stop the broadcast; resolves to whether everything recorded has arrived. */
  async finish() {
    const arrived = await this.#broadcaster.finish();
    this.#stopLevel();
    this.#stopLevel = () => {};
    this.#camera.close();
    this.#wakeLock?.release();
    return arrived;
  }

  // A phone call or a pulled plug took the camera. While another is being opened, that is why.
  #cameraLost() {
    if (this.#opening === 0) this.#use(() => this.#camera.open());
  }

  /** One camera after the other, however fast the host taps. */
  #use(openCamera) {
    this.#opening += 1;
    this.#lastUse = this.#lastUse.then(() => this.#show(openCamera));
    return this.#lastUse.finally(() => (this.#opening -= 1));
  }

  async #show(openCamera) {
    show(one("#camera-problem"), false);
    this.#stopLevel();
    this.#stopLevel = () => {};
    try {
      const stream = await openCamera();
      one("#preview").srcObject = stream;
      this.#stopLevel = watchLevel(stream, one("#level"));
      await this.#drawDevices();
      if (this.#broadcaster.isOnAir) await this.#broadcaster.replaceStream(stream);
    } catch (error) {
      this.#complain(error);
    }
    this.#draw();
  }

  #complain(error) {
    one("#camera-problem-text").textContent = explain(error);
    show(one("#camera-problem"), true);
  }

  #goLive() {
    if (!this.#camera.stream) return;
    this.#broadcaster.start(this.#camera.stream);
    this.#keepAwake();
  }

  // A phone that falls asleep stops filming.
  async #keepAwake() {
    const isWanted = this.#broadcaster.isOnAir && document.visibilityState === "visible";
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
    const { state, problem, acknowledgedBytes } = this.#broadcaster;
    const isOnAir = this.#broadcaster.isOnAir;
    one("#preview-box").dataset.state = state;
    one("#status").textContent = this.#words();
    one("#go-live").disabled = !this.#camera.stream || !bestFormat();
    show(one("#go-live"), !isOnAir);
    one("#problem").textContent = problem?.message || gettext("The server did not accept the picture.");
    show(one("#problem"), state === "refused");
    one("#sent").textContent = interpolate(gettext("%s safely stored"), [megabytes(acknowledgedBytes)]);
    show(one("#sent"), acknowledgedBytes > 0);
    drawBadge(state);
  }

  #words() {
    const waiting = this.#broadcaster.waitingSeconds;
    switch (this.#broadcaster.state) {
      case "connecting":
        return gettext("Connecting…");
      case "live":
        return this.#liveWords(waiting);
      case "waiting":
        return interpolate(ngettext("Waiting for the network. %s second is kept on this device and sent when it is back.", "Waiting for the network. %s seconds are kept on this device and sent when it is back.", waiting), [waiting]);
      case "full":
        return gettext("The network has been away too long: what happens now is not recorded. It goes on by itself when the network is back.");
      case "finishing":
        return gettext("Sending the last seconds…");
      case "refused":
        return gettext("Not on air.");
      default:
        return this.#idleWords();
    }
  }

  #liveWords(waiting) {
    const lost = this.#broadcaster.lostSeconds;
    if (waiting > 3) {
      return interpolate(ngettext("You are live. The network is slow: %s second behind.", "You are live. The network is slow: %s seconds behind.", waiting), [waiting]);
    }
    if (lost > 0) {
      return interpolate(ngettext("You are live. The network was away too long: %s second is missing in the recording.", "You are live. The network was away too long: %s seconds are missing in the recording.", lost), [lost]);
    }
    return gettext("You are live. Viewers see you now.");
  }

  #idleWords() {
    if (!bestFormat()) return gettext("This browser cannot record video. Try Chrome, Edge, Firefox or Safari.");
    if (!this.#camera.stream) return gettext("No picture yet.");
    if (this.#room.startedAt) return this.#runningWords();
    return gettext("Camera and microphone are ready. Nobody sees you yet.");
  }

  #runningWords() {
    return this.#room.interrupted
      ? gettext("The show is running, but without a camera. Tap “Go live” to go on.")
      : gettext("Another camera is on air. Here you can chat, pin and pack.");
  }

  #drawTime() {
    const { startedAt } = this.#room;
    const badge = one("#air-time");
    show(badge, startedAt !== null);
    if (startedAt) badge.textContent = duration((Date.now() - new Date(startedAt)) / 1000);
  }
}

function drawChoice(name, devices, currentId) {
  const select = one(`#${name}s`);
  const options = devices.map(({ deviceId, label }, index) =>
    el("option", { value: deviceId, selected: deviceId === currentId }, label || `${index + 1}`),
  );
  select.replaceChildren(...options);
  show(one(`#${name}-choice`), devices.length > 1);
}

function drawBadge(state) {
  const badge = one("#air-badge");
  const looks = {
    live: ["badge--live", gettext("Live")],
    connecting: ["badge--warn", gettext("Connecting")],
    waiting: ["badge--warn", gettext("No network")],
    full: ["badge--warn", gettext("No network")],
    finishing: ["badge--warn", gettext("Finishing")],
  };
  const [kind, word] = looks[state] ?? ["", gettext("Not on air")];
  badge.className = `badge ${kind}`;
  badge.textContent = word;
}
