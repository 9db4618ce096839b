/** Moments that the server wrote in its own zone, as the reader's clock shows them. */

import { all } from "./dom.js";
import { date, dayAndTime, dayOfMonth, month } from "./format.js";

/** @type {Record<string, (when: string) => string>} by the names of `core/templatetags/times.py` */
const WRITE = { moment: dayAndTime, date, day: dayOfMonth, month };

/** @param {ParentNode} [root] what came later than the page: whoever adds it calls this */
export function showLocalTimes(root = document) {
  for (const time of all("time[data-local]", root)) {
    time.textContent = WRITE[time.dataset.local](/** @type {HTMLTimeElement} */ (time).dateTime);
  }
}

showLocalTimes();
