/** A quiz's page: lines are moved with buttons, and moments marked on the film. All works without. */

import { all, one, show } from "../livecommerce/dom.js";
import { duration } from "../livecommerce/format.js";

// ---- putting in order

function makeOrdering(list) {
  const said = /** @type {HTMLElement} */ (list.parentElement?.querySelector("[data-said]"));
  for (const line of all(".ordering__line", list)) {
    show(one("select", line), false);
    for (const button of all("[data-move]", line)) {
      show(button, true);
      button.addEventListener("click", () => move(list, line, button, said));
    }
  }
  number(list);
}

function move(list, line, button, said) {
  const isUp = button.dataset.move === "up";
  const neighbour = isUp ? line.previousElementSibling : line.nextElementSibling;
  if (!neighbour) return;
  if (isUp) neighbour.before(line);
  else neighbour.after(line);
  number(list);
  line.classList.remove("has-moved");
  requestAnimationFrame(() => line.classList.add("has-moved"));
  button.focus();
  const place = [...list.children].indexOf(line) + 1;
  const text = one(".ordering__text", line).textContent;
  said.textContent = interpolate(gettext("“%(text)s” is at place %(place)s now"), { text, place }, true);
}

/** The places that the form sends are those in which the lines stand. */
function number(list) {
  [...list.children].forEach((line, place) => {
    const select = /** @type {HTMLSelectElement} */ (one("select", line));
    select.value = String(place + 1);
    one('[data-move="up"]', line).setAttribute("aria-disabled", String(place === 0));
    one('[data-move="down"]', line).setAttribute("aria-disabled", String(place === list.children.length - 1));
  });
}

// ---- moments

function makeMoment(block) {
  const video = /** @type {HTMLVideoElement|null} */ (block.querySelector("video"));
  const button = block.querySelector("[data-mark]");
  if (!video || !button) return;
  const input = /** @type {HTMLInputElement} */ (one("input", block));
  show(button, true);
  button.addEventListener("click", () => {
    video.pause();
    input.value = duration(video.currentTime);
    input.focus();
  });
}

// ---- what is explained

/** One film at a time; what explains something starts where it is explained, each time anew. */
function watchFilms() {
  const films = /** @type {HTMLVideoElement[]} */ (all("video"));
  for (const film of films) {
    film.addEventListener("play", () => films.forEach((other) => other !== film && other.pause()));
    const from = Number(film.dataset.from ?? 0);
    film.addEventListener("loadedmetadata", () => {
      if (from && film.currentTime < 0.1) film.currentTime = from;
    });
  }
}

all("[data-ordering]").forEach(makeOrdering);
all("[data-moment]").forEach(makeMoment);
watchFilms();
const verdict = /** @type {HTMLElement|null} */ (document.querySelector("[data-verdict]"));
if (verdict) verdict.focus();
