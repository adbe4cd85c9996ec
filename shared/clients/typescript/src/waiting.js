/** Waiting: for a time, and before a repeated attempt. */

/** The delays before repeated attempts, in seconds. A test shortens the first one. */
export const delays = { first: 0.25, longest: 20 };

/**
 * Exponential, with full jitter, so that clients that lost one server do not return to it at the
 * same moment.
 */
export class Backoff {
  attempts = 0;

  /** Seconds until the next attempt. */
  next() {
    this.attempts += 1;
    return Math.random() * Math.min(delays.longest, delays.first * 2 ** this.attempts);
  }

  reset() {
    this.attempts = 0;
  }
}

/**
 * Rejects with the signal's reason when it is aborted.
 * @param {number} seconds
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
export function sleep(seconds, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const aborted = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", aborted);
      resolve();
    }, seconds * 1000);
    signal?.addEventListener("abort", aborted, { once: true });
  });
}
