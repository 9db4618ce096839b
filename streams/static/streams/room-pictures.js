/** Pictures of goods come after the room chats and sells: on a slow line they took seconds of it. */

let areHeld = false;

/** From now on pictures wait for `showPictures`. */
export function holdPictures() {
  areHeld = true;
}

/** @param {string} url @returns {Record<string, any>} what an <img> has instead of its `src` meanwhile */
export function pictureAt(url) {
  return areHeld ? { data: { src: url } } : { src: url };
}

export function showPictures() {
  areHeld = false;
  for (const one of /** @type {NodeListOf<HTMLImageElement>} */ (document.querySelectorAll("img[data-src]"))) {
    one.src = one.dataset.src ?? "";
    delete one.dataset.src;
  }
}
