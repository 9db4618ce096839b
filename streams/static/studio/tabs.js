// On a phone one panel is seen at a time (WAI-ARIA tabs); on a wide screen all of them are.

import { all, one } from "../livecommerce/dom.js";

/** Makes the tabs of `list` work; `onChange(panel)` hears what is shown. */
export function makeTabs(list, onChange) {
  const tabs = all('[role="tab"]', list);
  // What is always seen on a wide screen has no tab there: another one is open until it narrows again.
  const widened = matchMedia("(min-width: 60rem)");
  let onPhone = null;
  widened.addEventListener("change", () => {
    const chosen = tabs.find((tab) => tab.getAttribute("aria-selected") === "true");
    if (widened.matches && getComputedStyle(chosen).display === "none") {
      onPhone = chosen;
      choose(tabs, tabs[0], onChange);
    } else if (!widened.matches && onPhone) {
      choose(tabs, onPhone, onChange);
      onPhone = null;
    }
  });
  for (const tab of tabs) tab.addEventListener("click", () => choose(tabs, tab, onChange));
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const shown = tabs.filter((tab) => tab.offsetParent !== null);
    const next = shown.at((shown.indexOf(document.activeElement) + step) % shown.length);
    choose(tabs, next, onChange);
    next.focus();
  });
}

function choose(tabs, chosen, onChange) {
  for (const tab of tabs) {
    const isChosen = tab === chosen;
    const panel = one(`#${tab.getAttribute("aria-controls")}`);
    tab.setAttribute("aria-selected", String(isChosen));
    tab.tabIndex = isChosen ? 0 : -1;
    panel.toggleAttribute("data-active", isChosen);
    if (isChosen) onChange(panel);
  }
}
