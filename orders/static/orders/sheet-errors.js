/** What is wrong with an order, said at the field that it is about, or above the button. */

import { all, one, show } from "../livecommerce/dom.js";

export class SheetErrors {
  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.form = form;
  }

  /** @param {string} name of a field @param {string} message @returns {boolean} whether there is such a field */
  tell(name, message) {
    const field = this.form.querySelector(`[data-field="${CSS.escape(name)}"]`);
    if (!field) return false;
    one(".field__error", field).textContent = message;
    for (const input of all("input, select", field)) input.setAttribute("aria-invalid", String(Boolean(message)));
    return true;
  }

  /** What belongs to no field. @param {string} message */
  problem(message) {
    const place = one("#order-problem");
    if (place.textContent !== message) place.textContent = message;
    show(place, message !== "");
  }

  clear() {
    this.problem("");
    for (const field of all("[data-field]", this.form)) this.tell(field.dataset.field ?? "", "");
  }

  focusFirst() {
    const first = all('[aria-invalid="true"]', this.form).find((input) => input.offsetParent !== null);
    first?.focus({ preventScroll: true });
    first?.closest("[data-field]")?.scrollIntoView({ block: "center" }); // its message too
  }
}

/** After these nobody knows whether the order arrived: its key makes it safe to ask again. */
export const NO_ANSWER = new Set(["connection_lost", "timeout", "network", "try_again"]);

/** @param {{code: string, message: string}} error */
export function problemText(error) {
  if (NO_ANSWER.has(error.code)) {
    return gettext("No answer from the shop yet. Tap Order again: you will not get it twice.");
  }
  if (error.code === "price_changed") {
    return `${error.message} ${gettext("Tap Order again if that suits you.")}`;
  }
  return error.message;
}
