// A seller's first show waits for an operator's yes: says so in the place of the big button.

import { one, show } from "../livecommerce/dom.js";

/** @param {{standing: "free"|"waiting"|"refused", reason: string}} review */
export function drawReview({ standing, reason }) {
  const box = one("#review");
  const before = box.dataset.standing;
  one("#stage").toggleAttribute("data-held", standing !== "free");
  box.dataset.standing = standing;
  box.classList.toggle("notice--warn", standing === "waiting");
  box.classList.toggle("notice--error", standing === "refused");
  box.classList.toggle("notice--ok", standing === "free");
  one("#review-text").textContent = words(standing, reason);
  show(box, standing !== "free" || before === "waiting" || before === "refused");
}

function words(standing, reason) {
  if (standing === "waiting") return gettext("Your first show waits for an operator's yes. Prepare everything and try your camera; this page tells you as soon as you can go live.");
  if (standing === "refused") return interpolate(gettext("An operator has said no to this show. You can schedule another one. Reason: %s"), [reason]);
  return gettext("An operator has said yes. You can go live now, and from now on whenever you like.");
}
