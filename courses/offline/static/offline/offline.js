/** The page of what is kept on this phone. It is itself kept, and works without a network. */

import { el, icon, one, show } from "../livecommerce/dom.js";
import { contact } from "./contact.js";
import { forgetAll, remove } from "./keeping.js";
import { OFFLINE_PAGE, lessons, owner } from "./places.js";
import { megabytes } from "./sizes.js";
import { drop, isQuizForm, refusedOf, waitingOf } from "./waiting.js";

async function draw() {
  const kept = await lessons();
  one("[data-kept]").replaceChildren(...kept.map(row));
  show(one("[data-none]"), kept.length === 0);
  show(one("[data-all]"), kept.length > 1);
  const bytes = kept.reduce((sum, each) => sum + each.bytes, 0);
  const text = ngettext("%(count)s lesson, %(size)s", "%(count)s lessons, %(size)s", kept.length);
  one("[data-sum]").textContent = kept.length ? interpolate(text, { count: kept.length, size: megabytes(bytes) }, true) : "";
  // Shown in the place of any page that could not be had.
  const isInstead = location.pathname !== OFFLINE_PAGE;
  show(one("[data-instead]"), isInstead);
  show(one("[data-away]"), !isInstead && !navigator.onLine);
  await drawWaiting();
  await drawRefused(kept);
}

async function drawWaiting() {
  const person = await owner();
  const count = person ? (await waitingOf(person)).length : 0;
  const text = ngettext("%s thing that you did without a network waits to be sent.", "%s things that you did without a network wait to be sent.", count);
  const place = one("[data-waiting]");
  place.textContent = count ? interpolate(text, [count]) : "";
  show(place, count > 0);
}

/** What the server would not take in: nothing that somebody did goes without a word. */
async function drawRefused(kept) {
  const person = await owner();
  const refused = person ? await refusedOf(person) : [];
  one("[data-refused]").replaceChildren(...refused.map((entry) => refusedRow(entry, kept)));
  show(one("[data-refused-part]"), refused.length > 0);
}

function refusedRow(entry, kept) {
  const isQuiz = isQuizForm(entry.path);
  const lesson = kept.find(({ id }) => entry.path.includes(id));
  const isAnswers = isQuiz || entry.path.endsWith("/answers");
  const what = isAnswers ? gettext("Answers to a quiz") : gettext("What you watched");
  const reason = entry.refused.message || gettext("This lesson is not there any more, or not for you.");
  return el("li", { class: "kept" },
    el("div", { class: "kept__words" },
      el("strong", {}, lesson ? `${what} · ${lesson.title}` : what),
      el("span", { class: "small" }, reason),
      isQuiz && entry.refused.status !== 404 ? el("a", { href: entry.path, class: "kept__again" }, gettext("Answer again")) : null,
    ),
    el("button", { class: "button", type: "button", on: { click: () => letRefusedGo(entry.id) } }, gettext("Remove")),
  );
}

async function letRefusedGo(id) {
  await drop(id);
  await draw();
}

function row(kept) {
  const size = kept.whole
    ? megabytes(kept.bytes)
    : interpolate(gettext("%(percent)s of %(size)s: open it with a network to go on"), { percent: `${Math.floor((100 * kept.bytes) / kept.media_bytes)}%`, size: megabytes(kept.media_bytes) }, true);
  return el("li", { class: "kept" },
    el("a", { href: kept.url, class: "kept__words" }, el("strong", {}, kept.title), el("span", { class: "small muted" }, `${kept.course_title} · ${size}`)),
    el("button", { class: "button button--icon", type: "button", "aria-label": interpolate(gettext("Remove “%s” from this phone"), [kept.title]), on: { click: () => letGo(kept.id) } }, icon("trash")),
  );
}

async function letGo(id) {
  await remove(id);
  await draw();
}

async function letAllGo() {
  await forgetAll();
  await draw();
}

async function meet() {
  const { told, removed } = await contact();
  const said = removed.map((title) => interpolate(gettext("“%s” was taken back by its seller and is no longer on this phone."), [title]));
  if (told) said.unshift(interpolate(ngettext("%s thing was sent.", "%s things were sent.", told), [told]));
  one("[data-said]").textContent = said.join(" ");
  await draw();
}

if ("caches" in self) {
  one("[data-all]").addEventListener("click", letAllGo);
  addEventListener("online", meet);
  addEventListener("offline", draw);
  if (new URLSearchParams(location.search).has("answered")) show(one("[data-answered]"), true);
  draw().then(meet);
} else {
  show(one("[data-insecure]"), true);
}
