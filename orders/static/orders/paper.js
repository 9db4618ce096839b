/** The button "Print" of pages that are meant for paper. */

import { all, show } from "../livecommerce/dom.js";

for (const button of all("[data-print]")) {
  show(button, true);
  button.addEventListener("click", () => print());
}
