/** On pages of learning: a word when a practice was looked at, or a teacher has written. */

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

/** @param {{type: string, data: any}} event */
function tell({ type, data }) {
  if (type === "message.came") {
    put(data.url, `${data.sender}: ${data.text}`);
  } else if (type === "practice.reviewed" && WORDS[data.verdict]) {
    put(`/learn/reviews/${data.attempt_id}/`, WORDS[data.verdict]());
  }
}

/** @param {string} address @param {string} words */
function put(address, words) {
  const link = el("a", { href: address }, words);
  place.prepend(el("p", { class: "notice notice--ok" }, icon("chat"), " ", link));
}
