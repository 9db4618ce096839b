/** @param {number} bytes @returns {string} e.g. "3.4 MB", as the page's language writes it */
export function megabytes(bytes) {
  const language = document.documentElement.lang || "en";
  const format = new Intl.NumberFormat(language, { style: "unit", unit: "megabyte", maximumFractionDigits: 1 });
  return format.format(bytes / 1_000_000);
}
