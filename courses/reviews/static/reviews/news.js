/** On pages of learning: a word when something was said about a practice. */

import { el, icon, one } from "../livecommerce/dom.js";
import { MySocket } from "../streams/my-socket.js";

/** @type {Record<string, () => string>} by what has happened */
const WORDS = {
  accepted: () => gettext("Your practice was accepted. Read what your mentor says"),
  again: () => gettext("Your mentor has looked at your practice: once more, with hints"),
  answered: () => gettext("There is an answer to a review"),
};

const place = one("[data-review-news]");

new MySocket({ onChange: tell, onOpen: () => {} }).start();

function tell({ type, data }) {
  const words = type === "practice.reviewed" && WORDS[data.verdict]?.();
  if (!words) return;
  const link = el("a", { href: `/learn/reviews/${data.attempt_id}/` }, words);
  place.prepend(el("p", { class: "notice notice--ok" }, icon("chat"), " ", link));
}
