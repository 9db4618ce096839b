// Hands the link of a show to whatever the phone sends messages with; where it cannot, one copies it.

import { one, show } from "../livecommerce/dom.js";

const button = one("#share-link");
const link = { title: button.dataset.title, url: one("#show-link").textContent };

button.addEventListener("click", async () => {
  try {
    await navigator.share(link);
  } catch (error) {
    // Who closes the phone's own list has decided against it.
    if (error.name !== "AbortError") throw error;
  }
});
show(button, Boolean(navigator.share));
