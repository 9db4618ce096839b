/** Photos beside a request for money back: shown, and made small before they go over a slow line. */

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
