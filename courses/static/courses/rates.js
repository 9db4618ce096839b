/** How fast lessons play; more than 2 would not count (courses/services/watched.py). */

const RATES = [1, 1.25, 1.5, 2, 0.75];

/** @param {number} rate @returns {number} what the button for it comes to next */
export const rateAfter = (rate) => RATES[(RATES.indexOf(rate) + 1) % RATES.length];
