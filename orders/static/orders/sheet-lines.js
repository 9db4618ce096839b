/** The things in the order sheet: each with its quantity, what is left, and what it comes to. */

import { el, icon, one, show } from "../livecommerce/dom.js";
import { money } from "../livecommerce/format.js";
import { countOf } from "./basket.js";
import { amountText, limitText, mostOf, stageOf, stockText, unitText, windowText } from "./terms.js";

/** @typedef {import("./terms.js").Good} Good */

/**
 * @typedef {object} Lines what the list needs of the sheet
 * @property {(id: string) => Good|undefined} good
 * @property {() => number} now
 * @property {(id: string, typed: string) => void} onTyped
 * @property {(id: string) => void} onRemove
 */

export class LineList {
  /** @type {Map<string, HTMLElement>} */ #rows = new Map();
  /** @type {Map<string, number>} what the server lets this buyer have */ limits = new Map();

  /** @param {HTMLElement} list @param {Lines} lines */
  constructor(list, lines) {
    this.list = list;
    this.lines = lines;
  }

  /** Bring the list up to date in place, so that no focus is lost. @param {import("./basket.js").Line[]} lines */
  show(lines) {
    const wanted = new Set(lines.map(({ id }) => id));
    for (const [id, row] of this.#rows) if (!wanted.has(id)) this.#drop(id, row);
    for (const [place, line] of lines.entries()) {
      const good = this.lines.good(line.id);
      const row = this.#rows.get(line.id) ?? this.#add(line.id, place);
      row.dataset.field = `lines.${place}`;
      this.#update(row, line, good, lines.length);
    }
  }

  /** @param {string} id @param {string} message */
  tell(id, message) {
    const row = this.#rows.get(id);
    if (!row) return;
    const error = one(".field__error", row);
    if (error.textContent !== message) error.textContent = message;
    one("input", row).setAttribute("aria-invalid", String(message !== ""));
  }

  /** What is wrong with a line as the page sees it; "" if nothing. */
  problem(line) {
    const good = this.lines.good(line.id);
    if (!good) return gettext("This is not on sale here any more.");
    const count = countOf(line.typed);
    const stage = stageOf(good, this.lines.now());
    if (stage === "closed") return gettext("This offer is over.");
    if (stage === "sold_out") return gettext("Sold out");
    if (Number.isNaN(count)) return gettext("Please write a whole number, 1 or more.");
    return count > this.most(good) ? this.#tooMany(good) : "";
  }

  /** @param {Good} good */
  most(good) {
    return Math.min(mostOf(good), this.limits.get(good.id) ?? Infinity);
  }

  #tooMany(good) {
    const most = this.most(good);
    const isLimit = good.per_buyer && most < Math.min(good.available, good.left);
    const amount = amountText(most, good.unit);
    if (!isLimit) return interpolate(ngettext("Only %s is left.", "Only %s are left.", most), [amount]);
    if (most <= 0) return gettext("You have ordered as many of this as one buyer may.");
    return interpolate(gettext("You can order %s of this."), [amount]);
  }

  #drop(id, row) {
    row.remove();
    this.#rows.delete(id);
    this.limits.delete(id);
  }

  #add(id, place) {
    const tail = this.#rows.size ? `-${place + 1}-${id.slice(0, 8)}` : ""; // the first has plain names
    const row = makeRow(tail);
    const input = one("input", row);
    const step = (by) => {
      input.value = String(Math.max(1, (countOf(input.value) || 0) + by));
      this.lines.onTyped(id, input.value);
    };
    one(`#fewer${tail}`, row).addEventListener("click", () => step(-1));
    one(`#more${tail}`, row).addEventListener("click", () => step(1));
    one(".line__remove", row).addEventListener("click", () => this.lines.onRemove(id));
    input.addEventListener("input", () => this.lines.onTyped(id, input.value));
    this.#rows.set(id, row);
    this.list.append(row);
    return row;
  }

  #update(row, line, good, howMany) {
    const input = one("input", row);
    if (input.value !== line.typed) input.value = line.typed;
    show(one(".line__remove", row), howMany > 1 || !good);
    if (!good) return this.tell(line.id, this.problem(line));
    const count = countOf(line.typed);
    const most = this.most(good);
    input.max = String(Math.max(1, most));
    const [fewer, more] = row.querySelectorAll(".stepper .round");
    fewer.disabled = !(count > 1);
    more.disabled = count >= most;
    fewer.setAttribute("aria-label", interpolate(gettext("One fewer: %s"), [good.title]));
    more.setAttribute("aria-label", interpolate(gettext("One more: %s"), [good.title]));
    one(".line__title", row).textContent = good.title;
    one(".line__remove", row).setAttribute("aria-label", interpolate(gettext("Take out %s"), [good.title]));
    one(".line__price", row).textContent = `${money(good.price_minor, good.currency)} / ${unitText(good.unit)}`;
    one(".line__stock", row).textContent = [stockText(good, this.lines.now()), limitText(good), windowText(good, this.lines.now())].filter(Boolean).join(" · ");
    one(".line__sum", row).textContent = Number.isNaN(count) ? "–" : money(count * good.price_minor, good.currency);
    show(one(".line__sum", row), howMany > 1 || count > 1);
    showPicture(one(".line__picture", row), good);
  }
}

function makeRow(tail) {
  const id = `order-quantity${tail}`;
  const errorId = `${id}-error`;
  const button = (name, sign) => el("button", { class: "round", type: "button", id: `${name}${tail}` }, icon(sign));
  return el(
    "li",
    { class: "line field" },
    el("span", { class: "line__picture", "aria-hidden": "true" }),
    el("div", { class: "line__text" }, el("label", { class: "line__title", for: id }), el("span", { class: "line__price" }), el("span", { class: "line__stock muted small" })),
    el("button", { class: "button button--icon line__remove", type: "button" }, icon("trash")),
    el(
      "div",
      { class: "line__count" },
      el(
        "div",
        { class: "stepper" },
        button("fewer", "minus"),
        el("input", { id, name: "quantity", type: "number", inputmode: "numeric", min: 1, required: true, "aria-describedby": errorId }),
        button("more", "plus"),
      ),
      el("strong", { class: "line__sum number" }),
    ),
    el("p", { class: "field__error", id: errorId, role: "alert" }),
  );
}

function showPicture(place, good) {
  const shown = good.image_url ?? "";
  if (place.dataset.shows === shown) return;
  place.dataset.shows = shown;
  place.replaceChildren(shown ? el("img", { src: shown, alt: "", width: 48, height: 48 }) : icon("apple"));
}

/** What is not in the order yet, to be put in. @param {Good} good */
export function otherRow(good) {
  const label = interpolate(gettext("Add %s"), [good.title]);
  return el(
    "li",
    {},
    el("span", {}, good.title, " ", el("span", { class: "price" }, money(good.price_minor, good.currency))),
    el("button", { class: "button", type: "button", data: { put: good.id }, "aria-label": label }, gettext("Add")),
  );
}
