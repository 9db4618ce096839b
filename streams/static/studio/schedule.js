// The start time is typed in the host's own time, so the server is told which time that is.

import { one } from "../livecommerce/dom.js";

const form = one(".schedule-form");
one("[data-time-zone]").value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
if (form.dataset.start) one("[name=starts_at]", form).value = localValue(new Date(form.dataset.start));

/** What an `<input type="datetime-local">` holds for an instant. */
function localValue(instant) {
  const shifted = new Date(instant.getTime() - instant.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}
