/**
 * Draws charts as SVG: bars per day, stacked by name, and ranges of percentiles. Pure: data and a width in, a drawing out.
 *
 * @typedef {{name: string, colour: string, values: number[]}} Series  `colour` is a class of numbers.css
 */

import { svg } from "./dom.js";
import { shortDay } from "./format.js";

export const HEIGHT = 190;
const LEFT = 52;
const BOTTOM = 22;
const TOP = 8;
const TICKS = 4;
const STEPS = [1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10];
const ROW = 34; // px of one range
const NAME = 15; // px: a range's name stands above it
const DATE = 62; // px that a date takes

/**
 * Bars per day.
 *
 * @param {{width: number, days: string[], series: Series[], format: (value: number) => string, label: string,
 *   whole: boolean, pick: (day: number | null) => void}} options  `whole`: there are no halves; `pick`: a day is pointed at
 */
export function bars({ width, days, series, format, label, whole, pick }) {
  const totals = days.map((_, day) => series.reduce((sum, one) => sum + one.values[day], 0));
  const top = niceTop(Math.max(...totals, 0), whole);
  const step = (width - LEFT) / days.length;
  const y = (/** @type {number} */ value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
  const chart = svg(
    "svg",
    { class: "chart", viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-label": label },
    grid(top, width, y, format),
    dates(days, step),
    series.map((one, at) => svg("g", { class: one.colour }, stacked(series, at, step, y))),
    days.map((_, day) => column(day, step, pick)),
  );
  chart.addEventListener("pointerleave", () => pick(null));
  return chart;
}

/** The bars of one series, each on top of those before it. */
function stacked(/** @type {Series[]} */ series, /** @type {number} */ at, /** @type {number} */ step, /** @type {(value: number) => number} */ y) {
  const gap = step > 6 ? Math.min(step * 0.25, 8) : 0.5;
  return series[at].values.map((value, day) => {
    if (!value) return null;
    const below = series.slice(0, at).reduce((sum, one) => sum + one.values[day], 0);
    const [bottom, up] = [y(below), y(below + value)];
    // A day with one failure among ten thousand calls is still to be seen.
    const height = Math.max(bottom - up - (at ? 1 : 0), 1);
    return svg("rect", { x: LEFT + day * step + gap / 2, y: bottom - height, width: Math.max(step - gap, 1), height, rx: Math.min(2, height / 2) });
  });
}

/** What the pointer meets: the whole column, so that a small bar is as easy to find as a tall one. */
function column(/** @type {number} */ day, /** @type {number} */ step, /** @type {(day: number) => void} */ pick) {
  return svg("rect", { class: "column", x: LEFT + day * step, y: 0, width: step, height: HEIGHT - BOTTOM, onpointerenter: () => pick(day) });
}

function grid(/** @type {number} */ top, /** @type {number} */ width, /** @type {(value: number) => number} */ y, /** @type {(value: number) => string} */ format) {
  const values = Array.from({ length: TICKS + 1 }, (_, at) => (top * at) / TICKS);
  return values.map((value) => [
    svg("line", { class: value ? "grid" : "axis", x1: LEFT, x2: width, y1: y(value), y2: y(value) }),
    svg("text", { class: "tick", x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, tick(value, format)),
  ]).flat();
}

function dates(/** @type {string[]} */ days, /** @type {number} */ step) {
  const every = Math.max(1, Math.ceil(DATE / step));
  return days.map((day, at) => {
    const fromEnd = days.length - 1 - at;
    const x = LEFT + (at + 0.5) * step;
    if (fromEnd % every || x < LEFT + 18) return null;
    const last = fromEnd === 0 && step < DATE;
    return svg("text", { class: "tick", x: last ? LEFT + (at + 1) * step : x, y: HEIGHT - 6, "text-anchor": last ? "end" : "middle" }, shortDay(day));
  });
}

/**
 * Percentiles by name: a line from the 50th to the 99th, a full mark at the 50th, open ones at the 95th and the 99th.
 *
 * @param {{width: number, rows: import("./shapes.js").Spread[], colours: Map<string, string>,
 *   format: (value: number) => string, label: string}} options
 */
export function spreads({ width, rows, colours, format, label }) {
  const top = niceTop(Math.max(...rows.map((row) => row.p99), 0));
  const pad = 8;
  const x = (/** @type {number} */ value) => pad + (width - 2 * pad) * (value / top);
  const height = rows.length * ROW + BOTTOM;
  const ticks = [0, 0.5, 1].map((part) => top * part);
  const anchors = ["start", "middle", "end"];
  return svg(
    "svg",
    { class: "chart", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label },
    ticks.map((value) => svg("line", { class: "grid", x1: x(value), x2: x(value), y1: 0, y2: height - BOTTOM })),
    ticks.map((value, at) => svg("text", { class: "tick", x: x(value), y: height - 6, "text-anchor": anchors[at] }, tick(value, format))),
    rows.map((row, at) => range(row, at * ROW, x, colours.get(row.key) ?? "others", format)),
  );
}

/** @param {import("./shapes.js").Spread} row */
function range(row, /** @type {number} */ top, /** @type {(value: number) => number} */ x, /** @type {string} */ colour, /** @type {(value: number) => string} */ format) {
  const middle = top + NAME + 8;
  const marks = /** @type {[number, string, number][]} */ ([
    [row.p99, "open", 3.5],
    [row.p95, "open", 4.5],
    [row.p50, "full", 5],
  ]);
  const text = `${row.key}: ${format(row.p50)}, ${format(row.p95)}, ${format(row.p99)}`;
  return svg(
    "g",
    { class: colour },
    svg("title", {}, text),
    svg("text", { class: "name", x: 8, y: top + NAME - 2 }, row.key),
    svg("line", { class: "range", x1: x(row.p50), x2: x(row.p99), y1: middle, y2: middle }),
    marks.map(([value, kind, r]) => svg("circle", { class: kind, cx: x(value), cy: middle, r })),
  );
}

/** What stands at an axis: `2 s`, not `2.00 s`. @param {number} value @param {(value: number) => string} format */
function tick(value, format) {
  return value ? format(value).replace(/(\.\d\d)00$/, "$1").replace(/\.0+(?!\d)/, "") : "0";
}

/** Where an axis of four steps ends: each is a round number, and with `whole` no part of one. */
export function niceTop(/** @type {number} */ value, whole = false) {
  const least = (value > 0 ? value : 1) / TICKS;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = (STEPS.find((one) => one * power >= least * 0.9999) ?? 10) * power;
  return TICKS * (whole ? Math.ceil(step) : step);
}
