// Short texts made from numbers, and numbers from short texts.

import { duration } from "../livecommerce/format.js";

/** "12:34", "1:02:34.5" or plain seconds → seconds; NaN for anything else. Also as Chinese keyboards write it: "１２：３４". */
export function seconds(text) {
  const parts = text.normalize("NFKC").trim().split(":");
  if (parts.length > 3 || parts.some((part) => !/^\d+(\.\d+)?$/.test(part))) return NaN;
  return parts.reduce((total, part) => total * 60 + Number(part), 0);
}

/** 754.26 → "12:34.3": what `seconds` reads, to the tenth. */
export function exactTime(value) {
  const tenths = Math.max(0, Math.round(value * 10));
  return `${duration(Math.floor(tenths / 10))}.${tenths % 10}`;
}

export function megabytes(bytes) {
  return interpolate(gettext("%s MB"), [(bytes / 1e6).toFixed(1)]);
}
