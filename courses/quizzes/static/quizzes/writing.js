/** Writing a question: seconds are taken from the film instead of being typed. */

import { all, one, show } from "../livecommerce/dom.js";

const video = /** @type {HTMLVideoElement|null} */ (document.querySelector(".writer__film video"));

/** @param {number} seconds @returns {string} "1:05.4": a tenth is what a thumb can hit */
function written(seconds) {
  const tenths = Math.floor(seconds * 10);
  const rest = (tenths % 600) / 10;
  return `${Math.floor(tenths / 600)}:${rest < 10 ? "0" : ""}${rest}`;
}

if (video) {
  for (const button of all("[data-take]")) {
    show(button, true);
    button.addEventListener("click", () => {
      const input = /** @type {HTMLInputElement} */ (one(`#${button.dataset.take}`));
      input.value = written(video.currentTime);
    });
  }
}
