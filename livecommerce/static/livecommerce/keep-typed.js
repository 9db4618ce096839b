/** What was typed into a page's forms outlives the change of its language, which loads it anew. */

import { all } from "./dom.js";

/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Field */
/** @typedef {string | boolean | string[]} Value what is in it; of a box, whether it is checked */

/** @param {string} page its path and query */
const keyOf = (page) => `typed:${page}`;
/** After this long it was not the change of the language that brought the page. */
const FRESH_MS = 60_000;
/** Never kept: what is secret, cannot be set, or is not the person's. */
const LEFT_OUT = new Set(["password", "file", "hidden", "submit", "button", "reset", "image"]);
const SECRET = /password|one-time-code|cc-/;

/** @returns {Field[]} */
function fields() {
  const found = /** @type {Field[]} */ (all("main form :is(input, select, textarea)[name]"));
  return found.filter((field) => !LEFT_OUT.has(field.type) && !SECRET.test(field.autocomplete));
}

/** @param {Field} field @returns {field is HTMLInputElement} */
const isBox = (field) => field.type === "checkbox" || field.type === "radio";

/** @param {Field} field @returns {Value} */
function valueOf(field) {
  if (isBox(field)) return field.checked;
  if (!(field instanceof HTMLSelectElement)) return field.value;
  return [...field.options].filter((option) => option.selected).map((option) => option.value);
}

/** @param {Field} field whether it differs from what the server wrote */
function isTyped(field) {
  if ("sentBack" in document.body.dataset) return true; // the server wrote what had been typed
  if (isBox(field)) return field.checked !== field.defaultChecked;
  if (!(field instanceof HTMLSelectElement)) return field.value !== field.defaultValue;
  const options = [...field.options];
  if (options.some((option) => option.defaultSelected) || field.multiple) {
    return options.some((option) => option.selected !== option.defaultSelected);
  }
  return field.selectedIndex > 0;
}

/** @param {Field} field @param {Value} value */
function write(field, value) {
  if (typeof value === "boolean") /** @type {HTMLInputElement} */ (field).checked = value;
  else if (typeof value === "string") field.value = value;
  else if (field instanceof HTMLSelectElement) {
    for (const option of field.options) option.selected = value.includes(option.value);
  }
}

/** Fields of one name are told apart by their order. @returns {Map<string, Field>} */
function byPlace() {
  const counts = /** @type {Record<string, number>} */ ({});
  return new Map(
    fields().map((field) => {
      counts[field.name] = (counts[field.name] ?? -1) + 1;
      return [`${field.name} ${counts[field.name]}`, field];
    }),
  );
}

/** @param {string} page the one that comes */
function keep(page) {
  const typed = [...byPlace()].filter(([, field]) => isTyped(field));
  const values = typed.map(([place, field]) => [place, valueOf(field)]);
  if (values.length) sessionStorage.setItem(keyOf(page), JSON.stringify({ at: Date.now(), values }));
}

function restore() {
  const key = keyOf(location.pathname + location.search);
  const kept = sessionStorage.getItem(key);
  sessionStorage.removeItem(key);
  if (!kept) return;
  const { at, values } = JSON.parse(kept);
  if (Date.now() - at > FRESH_MS) return;
  const places = byPlace();
  for (const [place, value] of values) {
    const field = places.get(place);
    if (!field) continue;
    write(field, value);
    // Scripts of the page listen only after this one has run.
    addEventListener("load", () => field.dispatchEvent(new Event("input", { bubbles: true })));
  }
}

restore();
for (const form of /** @type {HTMLFormElement[]} */ (all("form[data-keeps-typed]"))) {
  form.addEventListener("submit", () => keep(String(new FormData(form).get("next"))));
}
