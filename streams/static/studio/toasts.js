// Short words at the bottom edge about what was just done, with a way to undo it.

import { el, one } from "../livecommerce/dom.js";

const SHOWN_MS = 7_000;

/** Says `text`; with `undo` (an async function) beside a button that does it, while it is shown. */
export function toast(text, undo = null) {
  const box = one("#toasts");
  const item = el("p", { class: "toast" }, el("span", {}, text));
  if (undo) item.append(undoButton(item, undo));
  box.replaceChildren(item); // the newest: two of them would lie over the tabs of a small phone
  setTimeout(() => item.remove(), SHOWN_MS);
}

function undoButton(item, undo) {
  const button = el("button", { type: "button", class: "button toast__undo" }, gettext("Undo"));
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await undo();
      item.remove();
    } catch (error) {
      item.replaceChildren(el("span", {}, error.message));
    }
  });
  return button;
}
