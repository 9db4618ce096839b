/** What this tab remembers over a reload or a sign-in. Where storage is forbidden, nothing is. */

/** @param {string} name @param {any} value of JSON types; `null` forgets it */
export function remember(name, value) {
  try {
    if (value === null) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, JSON.stringify(value));
  } catch {
    return; // forbidden or full: the page works without
  }
}

/** @param {string} name @returns {any} what was remembered, else `null` */
export function recall(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name) ?? "null");
  } catch {
    return null;
  }
}
