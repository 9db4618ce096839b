/** On a phone the tab that one is on may be beside the screen: it is brought into sight. */

import { all } from "../livecommerce/dom.js";

for (const tab of all(".tabs > [aria-current]")) {
  const tabs = /** @type {HTMLElement} */ (tab.parentElement);
  tabs.scrollLeft = tab.offsetLeft - tabs.offsetLeft - 32;
}
