/** Passkeys in this browser: whether there are any, making one, and signing in with one. */

import { api, ApiError } from "./api.js";

/** @returns {Promise<boolean>} whether this device has a lock of its own: finger, face or code */
export async function hasOwnLock() {
  return Boolean(await self.PublicKeyCredential?.isUserVerifyingPlatformAuthenticatorAvailable?.());
}

/** @returns {Promise<boolean>} whether the browser offers passkeys in a field of the page */
export async function canFill() {
  return Boolean(await self.PublicKeyCredential?.isConditionalMediationAvailable?.());
}

/** @returns {Promise<boolean>} */
export async function hasPasskeys() {
  return (await hasOwnLock()) || (await canFill());
}

/** Make one for the person who is signed in. @throws {ApiError|DOMException} */
export async function make() {
  const options = await api("POST", "/me/passkeys/options/");
  const credential = await navigator.credentials.create({ publicKey: toMake(options) });
  await api("POST", "/me/passkeys/add/", { credential: toJson(credential) });
}

/** @returns {Promise<any>} what to sign, within five minutes @throws {ApiError} */
export function ask() {
  return api("POST", "/accounts/passkey/options/");
}

/**
 * Sign in, and go on to `next`, if that is one of our pages.
 *
 * @param {string} next
 * @param {any} options as `ask` gives them
 * @param {{mediation?: "conditional", signal?: AbortSignal}} [how] conditional: only once somebody
 *   chooses a passkey in a field
 * @throws {ApiError|DOMException}
 */
export async function signIn(next, options, how = {}) {
  const credential = await navigator.credentials.get({ publicKey: toSign(options), ...how });
  const answer = await api("POST", "/accounts/passkey/", { credential: toJson(credential), next });
  location.assign(answer.next);
}

/** @param {unknown} error @returns {string} what to tell the person; empty: they know */
export function inWords(error) {
  if (error instanceof ApiError) return error.message;
  if (!(error instanceof DOMException)) throw error;
  if (error.name === "AbortError") return "";
  if (error.name === "InvalidStateError") return gettext("This device has a passkey for here already.");
  if (error.name === "NotAllowedError") return gettext("It was not unlocked. Try again, or go on without.");
  return gettext("That did not work. Please try again.");
}

// Browsers have their own ways to and from JSON, the older ones not yet.

function toMake(options) {
  if (PublicKeyCredential.parseCreationOptionsFromJSON) {
    return PublicKeyCredential.parseCreationOptionsFromJSON(options);
  }
  return {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: options.excludeCredentials.map((one) => ({ ...one, id: bytes(one.id) })),
  };
}

function toSign(options) {
  if (PublicKeyCredential.parseRequestOptionsFromJSON) {
    return PublicKeyCredential.parseRequestOptionsFromJSON(options);
  }
  return { ...options, challenge: bytes(options.challenge) };
}

/** What core/accounts/passkey_wire.py reads: not all that the browser's own `toJSON` tells. */
function toJson({ rawId, type, response }) {
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const there = parts.filter((part) => response[part]);
  const made = Object.fromEntries(there.map((part) => [part, base64url(response[part])]));
  return { rawId: base64url(rawId), type, response: made };
}

/** @param {string} text base64url */
function bytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (char) => char.charCodeAt(0));
}

/** @param {ArrayBuffer} buffer */
function base64url(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
