/** Calls of the HTTP API from a page, as the person who is signed in. */

/**
 * What went wrong, in words for a person. `code` is stable ("sold_out", "invalid_input",
 * "network" when no answer came); `errors` names the fields at fault.
 */
export class ApiError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {{field: string, message: string}[]} [errors]
   * @param {number} [status] 0 when no answer came
   * @param {number|null} [retryAfter] seconds
   * @param {Record<string, any>} [details] facts to go on with, e.g. the new price_minor
   */
  constructor(code, message, errors = [], status = 0, retryAfter = null, details = {}) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.errors = errors;
    this.status = status;
    this.retryAfter = retryAfter;
    this.details = details;
  }
}

const NO_CONTENT = 204;

/**
 * Ask the API: `await api("POST", "/api/v1/orders", order, {idempotencyKey})`.
 *
 * @param {"GET"|"POST"|"PUT"|"PATCH"|"DELETE"} method
 * @param {string} path
 * @param {unknown} [body] sent as JSON
 * @param {{idempotencyKey?: string, signal?: AbortSignal}} [options]
 * @returns {Promise<any>} the answer's JSON, `null` where it has none
 * @throws {ApiError}
 */
export async function api(method, path, body, { idempotencyKey, signal } = {}) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET") headers["X-CSRFToken"] = csrfToken();
  if (idempotencyKey) headers["Idempotency-Key"] = idempotencyKey;
  const response = await answer(path, {
    method,
    headers,
    signal,
    credentials: "same-origin",
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const data = await jsonOf(response);
  if (response.ok) return data;
  throw problem(response, data);
}

/** @returns {string} the token that Django wants with every request that changes something */
export function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.getAttribute("content") ?? "";
}

async function answer(path, init) {
  try {
    return await fetch(path, init);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("network", gettext("No connection. Please try again in a moment."));
  }
}

async function jsonOf(response) {
  const isJson = (response.headers.get("Content-Type") ?? "").includes("json");
  return isJson && response.status !== NO_CONTENT ? response.json() : null;
}

function problem(response, data) {
  const retryAfter = Number(response.headers.get("Retry-After")) || null;
  const message = data?.detail ?? gettext("That did not work. Please try again.");
  const code = data?.code ?? "refused";
  return new ApiError(code, message, data?.errors, response.status, retryAfter, data ?? {});
}
