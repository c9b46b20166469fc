/**
 * Numbers: calls, failures, tokens and money per day, and how fast answers came, by provider or by model.
 *
 * @typedef {import("./shapes.js").Numbers} Numbers
 * @typedef {import("./shapes.js").DayRow} DayRow
 * @typedef {import("./chart.js").Series} Series
 */

import { ask, isAbort } from "./api.js";
import { measure } from "./badges.js";
import { el, fill } from "./dom.js";
import { figure, ranges } from "./figure.js";
import { choice } from "./filters.js";
import { count, dollars, share, short, span, speed } from "./format.js";
import { failed, noCalls, waiting } from "./notice.js";
import { link, replace } from "./router.js";

const DAYS = ["7", "30", "90", "365"];
const WAYS = ["provider", "model"];
const COLOURS = 7; // more than so many cannot be told apart: the others are one
const OTHERS = "others";

/** @type {import("./main.js").View} */
export const numbers = {
  name: "numbers",
  title: "Numbers",
  async show({ place, route, signal }) {
    const given = (/** @type {string} */ name, /** @type {string[]} */ allowed, /** @type {string} */ usual) => {
      const value = route.query.get(name) ?? "";
      return allowed.includes(value) ? value : usual;
    };
    const body = el("div", {}, waiting());
    const load = async () => {
      const asked = { days: days.value() || "30", by: by.value() || "provider" };
      replace(link(["numbers"], asked));
      try {
        const found = await ask("numbers", asked, signal);
        fill(body, ...(found.total.exchanges ? charts(found, asked) : [noCalls()]));
      } catch (error) {
        if (!isAbort(error)) fill(body, failed(/** @type {Error} */ (error), load));
      }
    };
    const days = choice("Span", "30 days", DAYS.filter((d) => d !== "30"), given("days", DAYS, "").replace(/^30$/, ""), load, (d) => `${d} days`);
    const by = choice("By", "By provider", WAYS.slice(1), given("by", WAYS, "").replace(/^provider$/, ""), load, (way) => `By ${way}`);
    fill(place, el("h1", {}, "Numbers"), el("div", { class: "filters" }, days.element, by.element), body);
    await load();
  },
};

/** @param {Numbers} found @param {{days: string, by: string}} asked */
function charts(found, { days, by }) {
  const dates = lastDays(Number(days));
  const keys = loudest(found.days);
  const sum = (/** @type {(row: DayRow) => number} */ of) => series(found.days, dates, keys, of);
  const { total } = found;
  return [
    tiles(found),
    el(
      "div",
      { class: "figures" },
      figure("Calls", dates, sum((r) => r.exchanges), short, count(total.exchanges)),
      figure("Calls that failed", dates, sum((r) => r.failed), short, `${count(total.failed)} (${share(total.failed, total.exchanges)})`),
      figure("Tokens", dates, tokens(found.days, dates), short, `${short(total.input_tokens)} in, ${short(total.output_tokens)} out`),
      figure("Cost", dates, sum((r) => r.cost), dollars, costs(found)),
      ranges("Time to first token", found.spreads.ttft, span, keys, by),
      ranges("Time to the end", found.spreads.duration, span, keys, by),
      ranges("Speed", found.spreads.tokens_per_second, speed, keys, by),
    ),
  ];
}

/** @param {Numbers} found */
function tiles({ total }) {
  const tile = (/** @type {string} */ name, /** @type {import("./dom.js").Child} */ value, /** @type {string} */ beside = "") =>
    el("div", { class: "tile" }, el("dt", {}, name), el("dd", {}, value, beside && el("span", { class: "beside" }, beside)));
  const unpriced = total.unpriced ? `${knownCost(total) ? "and " : ""}${count(total.unpriced)} calls of unknown price` : "";
  return el(
    "dl",
    { class: "tiles" },
    tile("Calls", measure(total.exchanges, count)),
    tile("Failed", measure(total.failed, count), share(total.failed, total.exchanges)),
    tile("Tokens in", measure(total.input_tokens, short), `${share(total.cache_read_tokens, total.input_tokens)} cached`),
    tile("Tokens out", measure(total.output_tokens, short)),
    tile("Cost", knownCost(total) ? measure(total.cost, dollars) : measure(null, dollars, "No price is known"), unpriced),
  );
}

/** Whether the sum of costs says something: a sum over calls that all lack a price does not. */
function knownCost(/** @type {import("./shapes.js").Sums} */ sums) {
  return sums.cost > 0 || sums.unpriced < sums.ok || !sums.unpriced;
}

/** @param {Numbers} found */
function costs({ total }) {
  if (!knownCost(total)) return "no price is known";
  return total.unpriced ? `${dollars(total.cost)} and ${count(total.unpriced)} of unknown price` : dollars(total.cost);
}

/** The names with the most calls, in a fixed order, so that a name keeps its colour. @param {DayRow[]} rows */
function loudest(rows) {
  /** @type {Map<string, number>} */
  const calls = new Map();
  for (const row of rows) calls.set(row.key, (calls.get(row.key) ?? 0) + row.exchanges);
  const names = [...calls].sort(([a, n], [b, m]) => m - n || a.localeCompare(b)).map(([name]) => name);
  return names.length > COLOURS ? [...names.slice(0, COLOURS - 1), OTHERS] : names;
}

/**
 * @param {DayRow[]} rows
 * @param {string[]} dates
 * @param {string[]} keys
 * @param {(row: DayRow) => number} of
 * @returns {Series[]}
 */
function series(rows, dates, keys, of) {
  const at = new Map(dates.map((date, index) => [date, index]));
  const made = keys.map((name, index) => ({ name, colour: name === OTHERS ? "others" : `c${index + 1}`, values: dates.map(() => 0) }));
  for (const row of rows) {
    const place = at.get(row.day);
    const one = made[keys.indexOf(row.key)] ?? made.at(-1);
    if (place !== undefined && one) one.values[place] += of(row) ?? 0;
  }
  return made;
}

/** Input that was read anew, input out of a cache, output. @param {DayRow[]} rows @param {string[]} dates */
function tokens(rows, dates) {
  const kinds = /** @type {[string, (row: DayRow) => number][]} */ ([
    ["input", (r) => Math.max((r.input_tokens ?? 0) - (r.cache_read_tokens ?? 0), 0)],
    ["cached input", (r) => r.cache_read_tokens ?? 0],
    ["output", (r) => r.output_tokens ?? 0],
  ]);
  return kinds.map(([name, of], index) => ({ ...series(rows.map((r) => ({ ...r, key: name })), dates, [name], of)[0], colour: `t${index + 1}` }));
}

/** The days up to today, oldest first, as YYYY-MM-DD, here. @param {number} many */
function lastDays(many) {
  const today = new Date();
  return Array.from({ length: many }, (_, back) => {
    const date = new Date(today.getFullYear(), today.getMonth(), today.getDate() - (many - 1 - back), 12);
    return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((n) => String(n).padStart(2, "0")).join("-");
  });
}
