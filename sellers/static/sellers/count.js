/** What will be in the books, said before it is written down. The server works it out by itself. */

import { all, one } from "../livecommerce/dom.js";

const SIGN = { harvested: 1, damaged: -1, given: -1, own_use: -1 };

for (const form of all("form[data-on-hand]")) {
  const happened = /** @type {HTMLSelectElement} */ (one("[name=happened]", form));
  const pieces = /** @type {HTMLInputElement} */ (one("[name=pieces]", form));
  const outcome = one("[data-outcome]", form);
  const before = outcome.textContent;
  const say = () => {
    const count = Number.parseInt(pieces.value, 10);
    if (!Number.isFinite(count) || count < 0) outcome.textContent = before;
    else outcome.textContent = words(Number(form.dataset.onHand), SIGN[happened.value] ?? 0, count);
  };
  form.addEventListener("input", say);
  say();
}

function words(onHand, sign, count) {
  const after = sign ? onHand + sign * count : count;
  return interpolate(gettext("On hand: %s now, %s after this."), [onHand, Math.max(0, after)]);
}
