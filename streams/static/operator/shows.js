// Keeps the operators' page up to date, except while somebody fills in a form of it.

import { all } from "../livecommerce/dom.js";
import { showLocalTimes } from "../livecommerce/local-times.js";

const LOOK_EVERY_MS = 5_000;
const isBusy = () => document.hidden || document.querySelector("#operator details[open]") !== null;

async function look() {
  if (isBusy()) return;
  const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("#operator");
  if (!fresh || isBusy() || all("#operator form").some((form) => form.contains(document.activeElement))) return;
  showLocalTimes(fresh);
  const shown = document.querySelector("#operator");
  if (shown.innerHTML.replace(TOKENS, "") !== fresh.innerHTML.replace(TOKENS, "")) shown.replaceWith(fresh);
}

// Each answer has other tokens for its forms: what is shown has not changed by that.
const TOKENS = /name="csrfmiddlewaretoken" value="[^"]*"/g;

setInterval(look, LOOK_EVERY_MS);
