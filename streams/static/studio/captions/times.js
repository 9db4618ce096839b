/** Times of captions as people read and type them: 1:02.5 */

/** @param {number} ms */
export function clock(ms) {
  const tenths = Math.floor(ms / 100);
  const minutes = Math.floor(tenths / 600);
  const seconds = String(Math.floor(tenths / 10) % 60).padStart(2, "0");
  const hours = Math.floor(minutes / 60);
  const start = hours ? `${hours}:${String(minutes % 60).padStart(2, "0")}` : String(minutes);
  return `${start}:${seconds}.${tenths % 10}`;
}

/** Also as Chinese keyboards write it: "１：０２". @param {string} text @returns {number|null} milliseconds, `null` if it is no time */
export function typedClock(text) {
  const found = text.normalize("NFKC").trim().replace(",", ".").match(/^(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)$/);
  if (!found) return null;
  const [, hours = "0", minutes = "0", seconds] = found;
  return Math.round(((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000);
}
