/** Making a passkey: on the page of one's own, and where it is offered after signing in by a code. */

import { all, one, show } from "./dom.js";
import { hasOwnLock, hasPasskeys, inWords, make } from "./passkeys.js";

const DECLINED = "livecommerce.passkey-declined";

/** @param {HTMLElement} maker has a button and a place for what went wrong */
async function begin(maker) {
  const isOffer = maker.id === "passkey-offer";
  const isThere = isOffer ? (await hasOwnLock()) && !localStorage.getItem(DECLINED) : await hasPasskeys();
  show(maker, isThere);
  for (const hint of all("[data-no-passkeys]")) show(hint, !isThere && !isOffer);
  one("[data-make]", maker).addEventListener("click", () => add(maker));
  for (const button of all("[data-decline]", maker)) button.addEventListener("click", () => decline(maker));
}

async function add(maker) {
  const button = one("[data-make]", maker);
  const problem = one("[data-problem]", maker);
  button.setAttribute("aria-busy", "true");
  show(problem, false);
  try {
    await make();
    location.reload(); // the server says that it is done
  } catch (error) {
    problem.textContent = inWords(error);
    show(problem, problem.textContent !== "");
  }
  button.removeAttribute("aria-busy");
}

function decline(maker) {
  localStorage.setItem(DECLINED, "1");
  show(maker, false);
}

for (const maker of all("[data-passkey-maker]")) begin(maker);
