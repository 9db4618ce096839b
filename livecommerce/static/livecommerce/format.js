/** Amounts, times and counts as a reader of the page's language writes them. */

const language = document.documentElement.lang || "en";

/**
 * @param {number} minor amount in minor units (fen, cents)
 * @param {string} currency ISO 4217
 * @returns {string} e.g. "¥35.90"
 */
export function money(minor, currency) {
  const format = new Intl.NumberFormat(language, { style: "currency", currency, currencyDisplay: "narrowSymbol" });
  return format.format(minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

/** @param {number} value @returns {string} e.g. "12,408", or "12.4K" above ten thousand */
export function count(value) {
  const compact = value >= 10_000 ? { notation: "compact", maximumFractionDigits: 1 } : {};
  return new Intl.NumberFormat(language, compact).format(value);
}

/** @param {number} seconds @returns {string} e.g. "2:05" or "1:02:05" */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const [hours, minutes, rest] = parts.map(String);
  const tail = rest.padStart(2, "0");
  return parts[0] ? `${hours}:${minutes.padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** @param {string|Date} when ISO 8601 @returns {string} the hour and minute, e.g. "09:30" */
export function clockTime(when) {
  return new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date(when));
}

/** @param {string|Date} when ISO 8601 @returns {string} e.g. "Sat, Nov 21, 09:30"; with its year if that is another */
export function dayAndTime(when) {
  const at = new Date(when);
  return new Intl.DateTimeFormat(language, {
    weekday: "short",
    year: at.getFullYear() === new Date().getFullYear() ? undefined : "numeric",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(at);
}

/** @param {string} when ISO 8601 @returns {string} e.g. "Nov 21, 2026" */
export function date(when) {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium" }).format(new Date(when));
}

/** @param {string} when ISO 8601 @returns {string} e.g. "21" */
export function dayOfMonth(when) {
  return String(new Date(when).getDate());
}

/** @param {string} when ISO 8601 @returns {string} e.g. "Nov" */
export function month(when) {
  return new Intl.DateTimeFormat(language, { month: "short" }).format(new Date(when));
}

/** @param {string} zone IANA name @returns {string} e.g. "China Time" */
export function zoneName(zone) {
  if (zone === "UTC") return zone;
  const parts = new Intl.DateTimeFormat(language, { timeZone: zone, timeZoneName: "longGeneric" }).formatToParts();
  return parts.find(({ type }) => type === "timeZoneName")?.value ?? zone;
}
