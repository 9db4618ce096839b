// Moments in the form of an offer's terms: typed and shown by the host's own clock.

import { all } from "../livecommerce/dom.js";

/** @param {ParentNode} [root] */
export function showHostsTime(root = document) {
  for (const form of all(".offer-terms", root)) {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (!zone) continue;
    /** @type {HTMLInputElement} */ (form.querySelector("[name=time_zone]")).value = zone;
    for (const input of all("input[data-at]", form)) {
      /** @type {HTMLInputElement} */ (input).value = localValue(new Date(String(input.dataset.at)));
    }
  }
}

/** What an `<input type="datetime-local">` holds for an instant. */
function localValue(instant) {
  const shifted = new Date(instant.getTime() - instant.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}

showHostsTime();
