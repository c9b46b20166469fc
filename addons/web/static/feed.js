/**
 * A live feed: server-sent events with reconnection that is told.
 *
 * Strategy: `live` while events come, `away` between a lost connection and the next try (each waits twice as long, up
 * to ten seconds), `hidden` while nobody looks: a browser opens six connections to one place, and ten forgotten pages
 * must not hold them all. The server sends the whole state at each beginning, so nothing is lost by leaving.
 *
 * @typedef {"connecting" | "live" | "away" | "hidden"} FeedState
 * @typedef {{path: string, on: Record<string, (data: any) => void>, state: (state: FeedState, why: string) => void,
 *   signal: AbortSignal, ended?: (error: Error) => void}} FeedOptions
 */

import { ApiError, GONE, ROOT, reach } from "./api.js";
import { events } from "./sse.js";

const FIRST_WAIT = 500; // ms
const LONGEST_WAIT = 10_000; // ms
// A page that is hidden for a moment (another window, another tab) keeps its feed.
const PATIENCE = 30_000; // ms

/**
 * Follow a feed until `signal` says stop. An answer that is a plain no (4xx) goes to `ended`, and is not tried again.
 *
 * @param {FeedOptions} options
 */
export async function follow(options) {
  const { signal, state } = options;
  for (let wait = FIRST_WAIT; !signal.aborted; wait = Math.min(2 * wait, LONGEST_WAIT)) {
    if (document.hidden) {
      state("hidden", "");
      await visible(signal);
      if (signal.aborted) return;
    }
    const error = await listen(options, () => (wait = FIRST_WAIT));
    if (signal.aborted) return;
    if (error === null) continue; // hidden for long
    if (error instanceof ApiError && error.status >= 400 && error.status < 500 && options.ended) {
      options.ended(error);
      return;
    }
    state("away", error.message);
    await pause(wait, signal);
  }
}

/**
 * One connection, to its end: why it ended, or null when it was given up because nobody looks.
 *
 * @param {FeedOptions} options
 * @param {() => void} lives  called with the first event
 * @returns {Promise<Error | null>}
 */
async function listen({ path, on, state, signal }, lives) {
  const own = new AbortController();
  const unwatch = whenForgotten(() => own.abort());
  const abort = () => own.abort();
  signal.addEventListener("abort", abort);
  state("connecting", "");
  try {
    const response = await reach(ROOT + path, { signal: own.signal, headers: { accept: "text/event-stream" } });
    for await (const { event, data } of events(response)) {
      lives();
      state("live", "");
      on[event]?.(JSON.parse(data));
    }
    return new ApiError("The live feed ended.", 0);
  } catch (error) {
    if (own.signal.aborted) return null;
    return error instanceof ApiError ? error : new ApiError(GONE, 0);
  } finally {
    unwatch();
    signal.removeEventListener("abort", abort);
  }
}

/** Calls `forget` once the page has been hidden for a while; returns how to stop watching. @param {() => void} forget */
function whenForgotten(forget) {
  /** @type {number | undefined} */
  let timer;
  const look = () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(forget, PATIENCE);
  };
  document.addEventListener("visibilitychange", look);
  look();
  return () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", look);
  };
}

/** @param {AbortSignal} signal @returns {Promise<void>} */
function visible(signal) {
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener("visibilitychange", look);
      signal.removeEventListener("abort", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    signal.addEventListener("abort", look);
    look();
  });
}

/** Wait, or until the view is left, or until somebody looks again. @param {number} ms @param {AbortSignal} signal */
export function pause(ms, signal) {
  return /** @type {Promise<void>} */ (
    new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        window.removeEventListener("online", done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      window.addEventListener("online", done);
      signal.addEventListener("abort", done);
    })
  );
}
