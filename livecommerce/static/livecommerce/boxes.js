/** The buttons "All" and "None" of a group of boxes to tick. */

import { all, one, show } from "./dom.js";

for (const group of all("[data-boxes]")) {
  const boxes = /** @type {HTMLInputElement[]} */ (all("input[type=checkbox]", group));
  const tick = (/** @type {boolean} */ isOn) => {
    for (const box of boxes) box.checked = isOn;
  };
  one("[data-all]", group).addEventListener("click", () => tick(true));
  one("[data-none]", group).addEventListener("click", () => tick(false));
  show(one("[data-boxes-all]", group), true);
}
