/** Buttons that copy the text of another element: `data-copy` is its id. */

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = gettext("Copied");
    } catch {
      // No clipboard outside a secure context: select it, so that one can copy by hand.
      getSelection().selectAllChildren(source);
    }
  });
}
