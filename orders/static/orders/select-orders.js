/** Ticking orders in the list: all at once, and how many are ticked. Without this it works, too. */

import { all, show } from "../livecommerce/dom.js";

const ticks = () => /** @type {HTMLInputElement[]} */ (all("input[name=order]"));
const every = /** @type {HTMLInputElement|null} */ (document.querySelector("[data-select-all]"));

function count() {
  const ticked = ticks().filter((tick) => tick.checked).length;
  for (const place of all("[data-selected]")) place.textContent = String(ticked);
  if (!every) return;
  every.checked = ticked > 0 && ticked === ticks().length;
  every.indeterminate = ticked > 0 && !every.checked;
}

addEventListener("change", (event) => {
  const target = /** @type {HTMLInputElement} */ (event.target);
  if (target === every) for (const tick of ticks()) tick.checked = every.checked;
  if (target === every || target.name === "order") count();
});

if (every) show(/** @type {HTMLElement} */ (every.closest("label")), true);
count();
addEventListener("pageshow", count); // the browser may have kept the ticks
