/** The certificate's page: print it, or hand its link on. */

import { one, show } from "../livecommerce/dom.js";

const print = one("[data-print]");
const copy = one("[data-copy]");

print.addEventListener("click", () => window.print());
copy.addEventListener("click", async () => {
  await navigator.clipboard.writeText(copy.dataset.link ?? location.href);
  one("span", copy).textContent = gettext("Copied");
});
show(print, true);
// Browsers give pages the clipboard only where nobody in between can change them.
show(copy, Boolean(navigator.clipboard));
