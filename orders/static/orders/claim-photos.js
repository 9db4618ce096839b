/**
 * Photos beside a request for money back: shown, and made small before they go over a slow line. Where
 * the form comes back with something to mend they stay chosen: a page that is loaded anew forgets them.
 */

import { all, el, one } from "../livecommerce/dom.js";

const MOST = 4;
const LONGEST_SIDE = 1600;
const QUALITY = 0.82;

document.addEventListener("change", async ({ target }) => {
  const input = /** @type {HTMLInputElement} */ (target);
  if (!input.matches?.("[data-photos-form] input[type=file]")) return;
  const form = /** @type {HTMLElement} */ (input.closest("form"));
  const chosen = [...(input.files ?? [])];
  const isTooMany = chosen.length > MOST;
  one("[data-photos-error]", form).textContent = isTooMany ? interpolate(gettext("Please choose at most %s photos."), [MOST]) : "";
  const small = await Promise.all(chosen.slice(0, MOST).map(smaller));
  const kept = new DataTransfer();
  for (const photo of small) kept.items.add(photo);
  input.files = kept.files;
  showThem(one("[data-previews]", form), small);
});

document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!form.matches("[data-photos-form]")) return;
  event.preventDefault();
  send(form);
});

/** @param {HTMLFormElement} form */
async function send(form) {
  const [button] = all("button", form);
  button.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), redirect: "manual", credentials: "same-origin" });
    if (answer.type === "opaqueredirect") location.assign(form.dataset.photosForm ?? "");
    else comesBack(form, await answer.text());
  } catch {
    one("[data-photos-error]", form).textContent = gettext("No connection. Please try again in a moment.");
  }
  button.removeAttribute("aria-busy");
}

/** The server's form with what is wrong in it takes the place of this one, but for the photos. */
function comesBack(form, html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const fresh = page.querySelector("[data-photos-form]");
  if (!(fresh instanceof HTMLElement)) return form.submit(); // another page than this one
  const again = document.importNode(fresh, true);
  const { files } = /** @type {HTMLInputElement} */ (one("input[type=file]", form));
  form.replaceWith(again);
  /** @type {HTMLInputElement} */ (one("input[type=file]", again)).files = files;
  showThem(one("[data-previews]", again), [...(files ?? [])]);
  const wrong = again.querySelector("[autofocus], [role=alert]");
  if (wrong instanceof HTMLElement) wrong.focus();
}

/** The photo with at most so many pixels a side; as it is where the browser cannot. @param {File} photo */
async function smaller(photo) {
  try {
    const picture = await createImageBitmap(photo, { imageOrientation: "from-image" });
    const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    if (!blob || blob.size >= photo.size) return photo;
    return new File([blob], photo.name.replace(/\.\w+$/, ".jpg"), { type: "image/jpeg" });
  } catch {
    return photo; // the server says what it cannot read
  }
}

function showThem(list, photos) {
  for (const image of all("img", list)) URL.revokeObjectURL(image.getAttribute("src") ?? "");
  list.replaceChildren(
    ...photos.map((photo) => el("li", {}, el("img", { src: URL.createObjectURL(photo), alt: photo.name, width: 96, height: 96 }))),
  );
}
