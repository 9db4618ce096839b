// The start time is typed in the host's own time, so the server is told which time that is.

import { all, one } from "../livecommerce/dom.js";
import { zoneName } from "../livecommerce/format.js";

const form = one(".schedule-form");
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone) {
  one("[data-time-zone]").value = zone;
  one("[data-zone-name]").textContent = zoneName(zone);
}
if (form.dataset.start) one("[name=starts_at]", form).value = localValue(new Date(form.dataset.start));
for (const input of all("input[data-at]", form)) input.value = localValue(new Date(input.dataset.at));

/** What an `<input type="datetime-local">` holds for an instant. */
function localValue(instant) {
  const shifted = new Date(instant.getTime() - instant.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}
