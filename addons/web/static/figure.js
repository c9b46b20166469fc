/**
 * A chart with everything around it: a title, the total, a legend, what the pointer is at, and the same as a table.
 * It is drawn for the width it has, and again when that changes.
 */

import { bars, spreads } from "./chart.js";
import { el, fill } from "./dom.js";
import { count, dollars, shortDay } from "./format.js";

/** @typedef {import("./chart.js").Series} Series */

/**
 * Bars per day.
 *
 * @param {string} title
 * @param {string[]} days
 * @param {Series[]} series
 * @param {(value: number) => string} format
 * @param {string} total
 */
export function figure(title, days, series, format, total) {
  const told = series.filter((one) => one.values.some(Boolean));
  const tip = el("p", { class: "tip", "aria-hidden": "true" });
  const pick = (/** @type {number | null} */ day) => {
    if (day === null) return fill(tip, total);
    const parts = told.filter((one) => one.values[day]).map((one) => `${one.name} ${format(one.values[day])}`);
    fill(tip, `${shortDay(days[day])}: ${parts.join(", ") || "nothing"}`);
  };
  const label = `${title} per day, ${days.length} days up to today: ${total}. The table below has the numbers.`;
  pick(null);
  const whole = format !== dollars;
  const drawn = told.length
    ? responsive((width) => bars({ width, days, series: told, format, label, whole, pick }))
    : el("p", { class: "nothing" }, "Nothing in these days.");
  return framed(title, tip, drawn, legend(told), dayTable(title, days, told, format));
}

/**
 * Percentiles by provider or model.
 *
 * @param {string} title
 * @param {import("./shapes.js").Spread[]} rows
 * @param {(value: number) => string} format
 * @param {string[]} keys  in the order that gives their colours
 * @param {string} by
 */
export function ranges(title, rows, format, keys, by) {
  const colours = new Map(keys.map((key, at) => [key, `c${at + 1}`]));
  const place = (/** @type {string} */ key) => (keys.indexOf(key) + keys.length + 1) % (keys.length + 1);
  const told = rows.filter((row) => row.count > 0).sort((a, b) => place(a.key) - place(b.key));
  const tip = el("p", { class: "tip" }, told.length ? "● median ○ p95 ○ p99" : "");
  if (!told.length) return framed(title, tip, el("p", { class: "nothing" }, "Nothing was measured in these days."), null, null, "panel ranges");
  const label = `${title}: percentiles by ${by}. The table below has the numbers.`;
  const drawn = responsive((width) => spreads({ width, rows: told, colours, format, label }));
  return framed(title, tip, drawn, null, spreadTable(title, told, format, by), "panel ranges");
}

/** @param {(width: number) => Node} draw */
function responsive(draw) {
  const place = el("div", { class: "drawing" });
  let drawn = 0;
  new ResizeObserver(() => {
    const width = Math.floor(place.clientWidth);
    if (!width || width === drawn) return;
    drawn = width;
    fill(place, draw(width));
  }).observe(place);
  return place;
}

/** @param {string} title @param {Node} tip @param {Node} drawn @param {Node | null} below @param {Node | null} table */
function framed(title, tip, drawn, below, table, kind = "panel") {
  const asTable = table && el("details", { class: "fold" }, el("summary", {}, "As a table"), table);
  return el("figure", { class: kind }, el("figcaption", {}, el("h2", {}, title), tip), drawn, below, asTable);
}

/** @param {Series[]} series */
function legend(series) {
  const entry = (/** @type {Series} */ one) => el("li", {}, el("span", { class: `key ${one.colour}` }), one.name);
  return series.length ? el("ul", { class: "legend names" }, series.map(entry)) : null;
}

/** @param {string} title @param {string[]} days @param {Series[]} series @param {(value: number) => string} format */
function dayTable(title, days, series, format) {
  const rows = days.map((day, at) => [day, series.map((one) => one.values[at])]).filter(([, values]) => values.some(Boolean));
  if (!rows.length) return null;
  const body = rows.reverse().map(([day, values]) => tableRow(day, values.map(format)));
  return plainTable(title, ["Day", ...series.map((one) => one.name)], body);
}

/** @param {string} title @param {import("./shapes.js").Spread[]} rows @param {(value: number) => string} format */
function spreadTable(title, rows, format, /** @type {string} */ by) {
  const body = rows.map((row) => tableRow(row.key, [...[row.p50, row.p95, row.p99].map(format), count(row.count)]));
  return plainTable(title, [by === "model" ? "Model" : "Provider", "p50", "p95", "p99", "Calls"], body);
}

/** @param {string} name @param {string[]} cells */
function tableRow(name, cells) {
  return el("tr", {}, el("th", { scope: "row" }, name), cells.map((cell) => el("td", { class: "num" }, cell)));
}

/** @param {string} title @param {string[]} heads @param {Node[]} body */
function plainTable(title, heads, body) {
  const head = el("tr", {}, heads.map((name) => el("th", { scope: "col" }, name)));
  const table = el("table", { class: "plain-table" }, el("caption", { class: "sr" }, title), el("thead", {}, head), el("tbody", {}, body));
  return el("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": `${title}, table` }, table);
}
