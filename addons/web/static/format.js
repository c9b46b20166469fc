/**
 * Numbers as people read them: thousands separators, units, and never a zero for what is not known.
 *
 * Every function takes null or undefined for "not known" and answers `UNKNOWN` for it.
 */

export const UNKNOWN = "–";

const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const SHORT = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric" });
const SHORT_DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const BYTES = ["B", "kB", "MB", "GB", "TB"];
const MINUTE = 60_000_000;
const HOUR = 60 * MINUTE;

/** @param {unknown} value @returns {value is number} */
export function known(value) {
  return typeof value === "number" && Number.isFinite(value);
}

/** `1,204`. @param {number | null | undefined} value */
export function count(value) {
  return known(value) ? WHOLE.format(value) : UNKNOWN;
}

/** `1.2K`: for axes and tiles. @param {number | null | undefined} value */
export function short(value) {
  if (!known(value)) return UNKNOWN;
  return value < 10_000 ? WHOLE.format(value) : SHORT.format(value);
}

/** A span in µs: `0.42 ms`, `320 ms`, `4.32 s`, `2 min 05 s`. @param {number | null | undefined} us */
export function span(us) {
  if (!known(us)) return UNKNOWN;
  if (us < 999_500) return `${digits(us / 1e3)} ms`;
  if (us < MINUTE - 5e3) return `${(us / 1e6).toFixed(us < 9_995_000 ? 2 : 1)} s`;
  const seconds = Math.round(us / 1e6);
  if (us < HOUR) return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
  return `${Math.floor(seconds / 3600)} h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, "0")} min`;
}

/** US dollars: `$0.0123`, `$12.34`; small amounts keep what counts. @param {number | null | undefined} usd */
export function dollars(usd) {
  if (!known(usd)) return UNKNOWN;
  if (usd === 0) return "$0";
  if (usd < 0.000001) return "< $0.000001";
  if (usd < 0.01) return `$${trimmed(usd.toPrecision(3))}`;
  if (usd < 1) return `$${usd.toFixed(4)}`;
  return `$${usd.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

/** A price per million tokens: `$3`, `$0.30`, `$0.075`. @param {number | null | undefined} usd */
export function price(usd) {
  if (!known(usd)) return UNKNOWN;
  return `$${usd.toLocaleString("en-US", { minimumFractionDigits: usd % 1 ? 2 : 0, maximumFractionDigits: 4 })}`;
}

/** `48.2 tok/s`. @param {number | null | undefined} perSecond */
export function speed(perSecond) {
  return known(perSecond) ? `${digits(perSecond)} tok/s` : UNKNOWN;
}

/** `1.2 MB`. @param {number | null | undefined} size */
export function bytes(size) {
  if (!known(size)) return UNKNOWN;
  let [value, unit] = [size, 0];
  for (; value >= 999.5 && unit < BYTES.length - 1; unit += 1) value /= 1000;
  return `${unit === 0 ? WHOLE.format(value) : digits(value)} ${BYTES[unit]}`;
}

/** `12.5 %`; unknown where there is nothing to take a part of. @param {number} part @param {number} whole */
export function share(part, whole) {
  return whole > 0 ? `${digits((100 * part) / whole)} %` : UNKNOWN;
}

/** `14:03:22`, here. @param {number} seconds since the epoch */
export function clock(seconds) {
  return known(seconds) ? CLOCK.format(new Date(seconds * 1000)) : UNKNOWN;
}

/** `Fri, 20 Nov 2026`, here. @param {number} seconds since the epoch */
export function day(seconds) {
  return known(seconds) ? DAY.format(new Date(seconds * 1000)) : UNKNOWN;
}

/** `20 Nov` of `2026-11-20`. @param {string} iso */
export function shortDay(iso) {
  const [year, month, date] = iso.split("-").map(Number);
  return SHORT_DAY.format(new Date(year, month - 1, date));
}

/** Tokens per second of an answer, from its first token to its end; null where that cannot be said. */
export function pace(/** @type {import("./shapes.js").Row} */ row) {
  const { output_tokens: tokens, duration_us: whole, ttft_us: first } = row;
  if (row.usage_source === "estimated" || !known(tokens) || !known(whole) || !known(first) || tokens < 2 || whole - first < 1000) return null;
  return tokens / ((whole - first) / 1e6);
}

/** Three digits that count: `0.42`, `4.2`, `42`, `1,204`. @param {number} value */
function digits(value) {
  if (value >= 99.95) return WHOLE.format(value);
  if (value >= 9.995) return trimmed(value.toFixed(1));
  return trimmed(value.toFixed(2));
}

/** Without zeros behind the last digit that counts. @param {string} text */
function trimmed(text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
