/** The feed without a network: what is kept on this phone, in the form of the feed's lessons. */

import { one, pageData, show } from "../livecommerce/dom.js";
import { lessons } from "./places.js";

/** @param {import("./places.js").Kept} kept @returns {HTMLElement} */
function article(kept) {
  const form = /** @type {HTMLTemplateElement} */ (one("[data-form]"));
  const made = /** @type {HTMLElement} */ (one("[data-lesson]", /** @type {any} */ (form.content.cloneNode(true))));
  made.dataset.lesson = kept.id;
  made.setAttribute("aria-label", kept.title);
  one("h2", made).textContent = kept.title;
  const course = one("[data-course]", made);
  course.textContent = kept.course_title;
  course.setAttribute("href", kept.course_url ?? kept.url);
  one("[data-open]", made).setAttribute("href", kept.url);
  one("[data-of]", made).textContent = ` ${kept.title}`;
  show(one("[data-part]", made), isJoined(kept));
  return made;
}

/** As `item_out` in courses/feed_views.py. @param {import("./places.js").Kept} kept */
function item(kept) {
  return {
    id: kept.id,
    src: kept.media_url,
    thumb: kept.poster_url ?? "",
    joined: isJoined(kept),
    intervals: kept.intervals ?? [],
    required_s: kept.required_s ?? 0,
    resume_s: kept.resume_s ?? 0,
    captions: kept.captions ?? [],
  };
}

/** Nearly everybody who keeps a lesson has joined its course; its authors have not. */
const isJoined = (kept) => kept.joined ?? true;

async function begin() {
  const kept = "caches" in self ? (await lessons()).filter(({ whole }) => whole) : [];
  // Before its end, which would otherwise stay in sight: what is snapped to stays so.
  one("[data-feed]").prepend(...kept.map(article));
  show(one("[data-end]"), true);
  show(one("[data-some]"), kept.length > 0);
  show(one("[data-none]"), kept.length === 0);
  if (!kept.length) return;
  one("#feed").textContent = JSON.stringify({ ...pageData("feed"), items: kept.map(item) });
  await import("../courses/feed.js");
}

begin();
