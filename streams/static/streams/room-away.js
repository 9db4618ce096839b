/** The end of a visit: nothing plays, nothing can be bought, and one panel says why and what now. */

import { api } from "../livecommerce/api.js";
import { one, show } from "../livecommerce/dom.js";

/** The code with which the room sends somebody away, or does not let them in. */
export const NOT_ALLOWED = 4403;

/**
 * The socket only says that one may not be here; the page's address says why.
 *
 * @param {import("./room-page.js").RoomPage} page
 */
export async function goAway(page) {
  page.close();
  one("main").classList.add("room--away");
  one("#away-again").addEventListener("click", () => location.reload());
  tell(gettext("You can no longer be in this show"), "");
  show(one("#away"), true);
  one("#away-title").focus();
  try {
    await api("GET", page.data.playback_url);
    tell(gettext("You cannot join this show"), gettext("Please try again in a moment."));
  } catch (error) {
    const [title, more] = WORDS[error.code]?.() ?? [];
    if (title) tell(title, more);
  }
}

/** @type {Record<string, () => string[]>} by the code of the refusal */
const WORDS = {
  banned: () => [
    gettext("The host has sent you away from this show"),
    gettext("You cannot watch, write or order here any more. If the host lets you in again, try again."),
  ],
  not_allowed: () => [
    gettext("This show is private"),
    gettext("Only the seller's team can watch it now. If the host opens it, try again."),
  ],
};

function tell(title, more) {
  one("#away-title").textContent = title;
  one("#away-more").textContent = more;
}
