/** The page of a review: one or two films, what was said about them, and what is being written. */

import { all, one, pageData } from "../livecommerce/dom.js";
import { Film, Together } from "./film.js";
import { openReplies } from "./replies.js";
import { Writing } from "./writing.js";

const STEP_S = 5;

const data = pageData("review-data");
/** @type {Record<string, Film>} */
const films = { this: new Film(one('[data-film="this"]'), data.id, data.film) };
films.this.mark(data.comments);
/** @type {Writing|null} */
const writing = data.mode === "draft" ? new Writing(data, films.this) : null;

films.this.onMark = ({ id }) => (writing ? writing.reveal(id) : reveal(id));
if (data.beside) openBeside(data.beside);
for (const button of all("[data-jump]")) button.addEventListener("click", () => jump(button));
document.addEventListener("keydown", onKey);
openReplies(data);

function openBeside(beside) {
  const film = new Film(one('[data-film="beside"]'), beside.id, beside.film);
  films.beside = film;
  film.mark(beside.comments);
  film.onMark = ({ id }) => reveal(id);
  const both = new Together(films.this, film);
  one("[data-both]").addEventListener("click", () => both.playBoth());
  one("[data-together]").addEventListener("change", ({ target }) => (both.isOn = target.checked));
}

function jump(button) {
  const film = films[button.dataset.of];
  film.seek(Number(button.dataset.jump));
  film.root.scrollIntoView({ block: "nearest" });
  current(button.closest("[data-comment]"));
}

function reveal(id) {
  const row = document.querySelector(`[data-comment="${id}"]`);
  row?.scrollIntoView({ block: "nearest" });
  current(row);
}

function current(row) {
  for (const other of all("[data-comment]")) other.toggleAttribute("data-current", other === row);
}

/** Space plays, the arrows jump, C says something; not while somebody types. */
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, dialog, summary, button, a")) return;
  const action = KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

const KEYS = {
  " ": () => films.this.toggle(),
  ArrowLeft: () => films.this.seek(films.this.second - STEP_S),
  ArrowRight: () => films.this.seek(films.this.second + STEP_S),
  c: () => writing?.pin(),
  C: () => writing?.pin(),
};
