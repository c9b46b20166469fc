/** States and outcomes as badges: a word and a mark, never a colour alone; and numbers that may be unknown. */

import { el, spoken } from "./dom.js";
import { UNKNOWN, known } from "./format.js";

/** @type {Record<string, [tone: string, word: string, meaning: string]>} */
const OUTCOMES = {
  ok: ["good", "ok", "The answer was complete."],
  client_error: ["warn", "bad request", "Patchbay refused the call before it asked anybody."],
  upstream_refused: ["bad", "refused", "The provider's server does not accept connections."],
  upstream_dns: ["bad", "no such host", "The provider's address could not be found."],
  upstream_tls: ["bad", "TLS failed", "No secure connection to the provider could be made."],
  upstream_reset: ["bad", "reset", "The provider cut the connection."],
  upstream_timeout_connect: ["bad", "connect timeout", "The provider could not be reached in time."],
  upstream_timeout_first_byte: ["bad", "no answer", "The provider did not begin to answer in time."],
  upstream_timeout_idle: ["bad", "stalled", "The provider stopped in the middle of its answer."],
  upstream_timeout_total: ["bad", "too long", "The call took longer than it may."],
  upstream_http_error: ["bad", "error", "The provider answered with an error."],
  upstream_protocol_error: ["bad", "garbled", "The provider's answer was not what it should be."],
  upstream_truncated: ["bad", "cut off", "The answer ended before it was complete."],
  rate_limited: ["warn", "rate limited", "The provider wants fewer calls."],
  shed: ["warn", "turned away", "There was no room for the call."],
  client_disconnected: ["still", "client left", "The client hung up."],
  killed: ["warn", "killed", "Somebody ended the call."],
  shutdown: ["warn", "shut down", "Patchbay was stopped."],
  internal_error: ["bad", "internal error", "Patchbay failed; its log says why."],
  aborted_by_crash: ["bad", "crashed", "Patchbay ended without a word."],
};
/** @type {Record<string, [tone: string, word: string, meaning: string]>} */
const STATES = {
  ready: ["good", "ready", "It can be used."],
  loaded: ["good", "loaded", "It is in memory and answers at once."],
  available: ["calm", "available", "It can be asked for."],
  loading: ["busy", "loading", "It will answer once it is loaded."],
  unreachable: ["bad", "unreachable", "Its provider cannot be reached."],
  no_key: ["warn", "no key", "Its provider has no key; see Providers."],
  waiting: ["busy", "waiting", "Nothing of the answer has come yet."],
  streaming: ["busy", "streaming", "The answer is coming."],
  closed: ["good", "closed", "Calls pass."],
  open: ["bad", "open", "It has failed of late and is left alone for a while."],
  half_open: ["warn", "half open", "One call is let through to see how it is."],
};
const MARKS = { good: "✓", bad: "✕", warn: "!", busy: "●", calm: "○", still: "–" };

/** How a call ended; an open one is running. @param {string | null} outcome @param {string} [phase] */
export function outcomeBadge(outcome, phase = "streaming") {
  return outcome === null ? stateBadge(phase) : badge(OUTCOMES[outcome] ?? ["warn", plain(outcome), outcome]);
}

/** @param {string} state */
export function stateBadge(state) {
  return badge(STATES[state] ?? ["calm", plain(state), state]);
}

/** What a person reads for an outcome, in a list to choose from. @param {string} outcome */
export function outcomeWord(outcome) {
  return OUTCOMES[outcome]?.[1] ?? plain(outcome);
}

/** What an outcome means, in a sentence. @param {string} outcome */
export function outcomeMeaning(outcome) {
  return OUTCOMES[outcome]?.[2] ?? "";
}

/** @param {keyof typeof MARKS} tone @param {string} word @param {string} [meaning] */
export function toneBadge(tone, word, meaning) {
  return badge([tone, word, meaning ?? word]);
}

/** A small name without a judgement. @param {string} text @param {string} [title] */
export function tag(text, title) {
  return el("span", { class: "tag", title }, text);
}

/**
 * A number, or the sign for "not known" with the reason on it.
 *
 * @template T
 * @param {T | null | undefined} value
 * @param {(value: T) => string} format
 * @param {string} [why]
 */
export function measure(value, format, why = "Not known") {
  if (known(value)) return el("span", { class: "num" }, format(value));
  return el("span", { class: "unknown", title: why }, el("span", { "aria-hidden": "true" }, UNKNOWN), spoken(why));
}

/** @param {[string, string, string]} what */
function badge([tone, word, meaning]) {
  const mark = el("span", { class: "mark", "aria-hidden": "true" }, MARKS[/** @type {keyof typeof MARKS} */ (tone)]);
  return el("span", { class: `badge ${tone}`, title: meaning }, mark, word);
}

/** @param {string} word */
function plain(word) {
  return word.replaceAll("_", " ");
}
