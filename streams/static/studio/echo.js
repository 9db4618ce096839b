// In a rehearsal: the live picture as it comes back from the server, which is what viewers would see.

import { api } from "../livecommerce/api.js";
import { one, show } from "../livecommerce/dom.js";
import { LivePlayer } from "../streams/player-live.js";

export class Echo {
  #player;
  #isOn = false;

  constructor(showId) {
    const box = one("#echo");
    const video = /** @type {HTMLVideoElement} */ (one("#echo-video"));
    const findUrl = async () => (await api("GET", `/shows/${showId}/playback/`)).live_url;
    this.#player = new LivePlayer(box, video, one("#echo-sound"), findUrl, { path: `/ws/live/${showId}/` });
    // With its sound beside the microphone it would howl, whatever this viewer chose elsewhere.
    video.addEventListener("volumechange", () => (video.muted = true));
    video.addEventListener("playing", () => show(box, true));
  }

  start() {
    if (this.#isOn) return;
    this.#isOn = true;
    this.#player.start();
  }

  stop() {
    if (this.#isOn) this.#player.stop();
    this.#isOn = false;
    show(one("#echo"), false);
  }
}
