/**
 * One film on its way to the server, part by part. What has arrived is asked of the server, so it
 * goes on after a cut network, a reload, or on another device that has the same file.
 */

import { ApiError, api } from "../livecommerce/api.js";

const AT_ONCE = 3;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 15_000;
/**
 * Nothing moved for so long: the network is gone although nobody said so. Not sooner: the last
 * megabytes of a part count as sent while they wait in the phone for a slow uplink.
 */
const STALLED_MS = 120_000;

/** A part was not taken; where to put it is asked again. */
class PartRefused extends Error {
  constructor(status) {
    super(`the part was answered by ${status}`);
  }
}

export class FilmUpload {
  #file;
  #id;
  #tell;
  #requests = new Map(); // of parts that are under way -> bytes sent
  #arrived = 0;
  #stopped = false;
  #wake = () => {};

  /**
   * @param {File} file
   * @param {string} id of the upload, as `POST /uploads` gave it
   * @param {(sent: number, isWaiting: boolean) => void} tell how far it is, in bytes
   */
  constructor(file, id, tell) {
    this.#file = file;
    this.#id = id;
    this.#tell = tell;
  }

  /**
   * Bring all that is missing, however often the network breaks.
   *
   * @returns {Promise<any>} the upload as the server has it; `null` if it was stopped
   * @throws {ApiError} where the server says that nothing will come of it
   */
  async run() {
    let pauseMs = FIRST_PAUSE_MS;
    while (!this.#stopped) {
      try {
        const { parts, arrived } = await api("POST", `/api/v1/uploads/${this.#id}/parts`);
        if (arrived > this.#arrived) pauseMs = FIRST_PAUSE_MS;
        this.#arrived = arrived;
        this.#told();
        if (!parts.length) return await api("POST", `/api/v1/uploads/${this.#id}/complete`);
        await this.#bring(parts);
      } catch (error) {
        if (this.#stopped) break;
        if (isFinal(error)) throw error;
        this.#tell(this.#sent(), true);
        await this.#pause(pauseMs);
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      }
    }
    return null;
  }

  /** Leave it for now; what has arrived stays. */
  stop() {
    this.#stopped = true;
    for (const request of this.#requests.keys()) request.abort();
    this.#wake();
  }

  /** Take away what has arrived. @returns {Promise<object>} the upload as it is then */
  async cancel() {
    this.stop();
    return await api("DELETE", `/api/v1/uploads/${this.#id}`);
  }

  async #bring(parts) {
    const waiting = [...parts];
    const bringers = Array.from({ length: AT_ONCE }, async () => {
      while (waiting.length && !this.#stopped) {
        const part = waiting.shift();
        await this.#put(part);
        this.#arrived += part.size;
        this.#told();
      }
    });
    const ends = await Promise.allSettled(bringers);
    const failed = ends.find((end) => end.status === "rejected");
    if (failed) throw failed.reason;
  }

  /** By XMLHttpRequest: `fetch` does not say how much was sent. */
  #put({ url, start, size }) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      let watch = setTimeout(() => request.abort(), STALLED_MS);
      request.open("PUT", url);
      request.upload.onprogress = (event) => {
        clearTimeout(watch);
        watch = setTimeout(() => request.abort(), STALLED_MS);
        this.#requests.set(request, event.loaded);
        this.#told();
      };
      request.onloadend = () => {
        clearTimeout(watch);
        this.#requests.delete(request);
        if (request.status >= 200 && request.status < 300) resolve();
        else reject(new PartRefused(request.status));
      };
      this.#requests.set(request, 0);
      // Without a type of its own: a header that was not agreed on breaks the signature.
      request.send(this.#file.slice(start, start + size, ""));
    });
  }

  #sent() {
    return this.#arrived + [...this.#requests.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  #told() {
    this.#tell(Math.min(this.#sent(), this.#file.size), false);
  }

  #pause(ms) {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        window.removeEventListener("online", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      window.addEventListener("online", done);
      this.#wake = done;
    });
  }
}

/** No network, a server that restarts, a part that was refused: all of that passes. */
function isFinal(error) {
  return error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429;
}
