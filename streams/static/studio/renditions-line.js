/** What viewers with little data get, under the picture of whoever films. */

import { show } from "../livecommerce/dom.js";

/** @param {string} state as in `renditions.changed` (docs/protocol.md); one unknown says nothing */
export function showRenditions(state) {
  const line = document.querySelector("#renditions");
  if (!(line instanceof HTMLElement)) return; // who only keeps order has no camera
  const words = WORDS[state]?.() ?? "";
  line.textContent = words;
  line.dataset.state = state;
  show(line, Boolean(words));
}

/** @type {Record<string, () => string>} */
const WORDS = {
  low: () => gettext("Viewers with little data get a small picture (360p), still pictures or sound only."),
  no_room: () => gettext("The server is busy: viewers with little data get still pictures or sound only."),
  not_needed: () => gettext("Your picture is small enough for viewers with little data."),
  source: () => gettext("Viewers get your picture as it is, still pictures or sound only."),
};
