/** A form that is on its way is not sent again by a second tap. The server counts one anyway. */

/** After this long without another page something went wrong, and one may try again. */
const PATIENCE_MS = 10_000;

addEventListener("submit", (event) => {
  if (event.defaultPrevented) return; // a script sends it, and knows what it does
  const form = /** @type {HTMLFormElement} */ (event.target);
  // Not yet: a button that is disabled now would not be sent with its form.
  setTimeout(() => setDisabled(form, true));
  setTimeout(() => setDisabled(form, false), PATIENCE_MS);
});

// The page comes back as it was left, from the browser's memory.
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.forms) setDisabled(form, false);
});

/** @param {HTMLFormElement} form @param {boolean} isDisabled only our own are enabled again */
function setDisabled(form, isDisabled) {
  for (const button of form.querySelectorAll("button")) {
    if (isDisabled === button.disabled || (!isDisabled && !button.dataset.once)) continue;
    button.disabled = isDisabled;
    button.dataset.once = isDisabled ? "sent" : "";
  }
}
