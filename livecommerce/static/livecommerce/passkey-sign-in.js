/** The page of signing in: a button for passkeys, and passkeys in the field of the user name. */

import { one, show } from "./dom.js";
import { ask, canFill, hasPasskeys, inWords, signIn } from "./passkeys.js";

/** What the server asks to sign is good for five minutes. */
const FRESH_MS = 4 * 60_000;
const LOOK_EVERY_MS = 15_000;

const area = one("#passkey");
const button = one("#passkey-button");
const problem = one("#passkey-problem");
const next = area.dataset.next ?? "";
let filling = new AbortController();
let askedAt = 0;

/** Wait for somebody to choose a passkey in the field. A browser waits for one thing at a time. */
async function fill() {
  filling.abort();
  filling = new AbortController();
  const { signal } = filling;
  askedAt = performance.now();
  const options = await ask().catch(() => null); // nobody has asked for anything yet
  if (!options || signal.aborted) return;
  try {
    await signIn(next, options, { mediation: "conditional", signal });
  } catch (error) {
    tell(error);
  }
}

async function byButton() {
  filling.abort();
  button.setAttribute("aria-busy", "true");
  tell();
  try {
    await signIn(next, await ask());
  } catch (error) {
    tell(error);
  }
  button.removeAttribute("aria-busy");
}

function tell(error) {
  problem.textContent = error ? inWords(error) : "";
  show(problem, problem.textContent !== "");
}

if (await hasPasskeys()) {
  show(area, true);
  button.addEventListener("click", byButton);
  if (await canFill()) {
    fill();
    setInterval(() => {
      const isOld = performance.now() - askedAt > FRESH_MS;
      if (isOld && document.visibilityState === "visible" && !button.ariaBusy) fill();
    }, LOOK_EVERY_MS);
  }
}
