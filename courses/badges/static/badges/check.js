/** The page that checks certificates: read a code with the camera, and say at once what is too large. */

import { one, show } from "../livecommerce/dom.js";

const scan = one("[data-scan]");
const scanError = one("[data-scan-error]");
const text = /** @type {HTMLInputElement} */ (one("#text"));
const fileForm = /** @type {HTMLFormElement} */ (one("[data-file]"));
const fileError = one("[data-file-error]");

// Where the browser cannot read codes, the phone's own camera can: the code is a link to here.
show(scan, "BarcodeDetector" in window);

one("input", scan).addEventListener("change", async (event) => {
  const input = /** @type {HTMLInputElement} */ (event.target);
  const file = input.files?.[0];
  if (!file) return;
  scanError.textContent = "";
  const found = await codeIn(file);
  input.value = "";
  if (!found) {
    scanError.textContent = gettext("No code was found. Hold the phone closer, with enough light.");
    return;
  }
  text.value = found;
  text.form?.requestSubmit();
});

/** @param {File} file @returns {Promise<string>} empty where there is none */
async function codeIn(file) {
  try {
    const detector = new /** @type {any} */ (window).BarcodeDetector({ formats: ["qr_code"] });
    const codes = await detector.detect(await createImageBitmap(file));
    return codes[0]?.rawValue ?? "";
  } catch {
    return ""; // no picture, or none that this browser can read
  }
}

fileForm.addEventListener("submit", (event) => {
  const file = /** @type {HTMLInputElement} */ (one("#file")).files?.[0];
  const most = Number(fileForm.dataset.most);
  const isTooLarge = Boolean(file && file.size > most);
  fileError.textContent = isTooLarge
    ? interpolate(gettext("This file is too large: a badge has at most %s MB."), [Math.floor(most / 1024 ** 2)])
    : "";
  if (isTooLarge) event.preventDefault();
});
