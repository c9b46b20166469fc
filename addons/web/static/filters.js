/** What narrows a list: a search, choices, a day. Each has a label that is seen, and calls `changed` when it changes. */

import { el, fill } from "./dom.js";

const PAUSE = 250; // ms: a search waits until one stops typing

/**
 * @param {string} label
 * @param {string} value
 * @param {() => void} changed
 */
export function searchBox(label, value, changed) {
  const input = /** @type {HTMLInputElement} */ (
    el("input", { type: "search", value, placeholder: label, "aria-label": label, spellcheck: "false", autocomplete: "off" })
  );
  let timer = 0;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(changed, PAUSE);
  });
  return { element: el("div", { class: "filter search" }, input), value: () => input.value.trim() };
}

/**
 * One of several; the first entry means all. A value that is not offered (yet) is kept, so that a link to it works.
 *
 * @param {string} label
 * @param {string} all
 * @param {string[]} values
 * @param {string} value
 * @param {() => void} changed
 * @param {(value: string) => string} [word]
 */
export function choice(label, all, values, value, changed, word = String) {
  const select = /** @type {HTMLSelectElement} */ (el("select", { "aria-label": label, onchange: changed }));
  const offer = (/** @type {string[]} */ offered, chosen = select.value) => {
    const every = chosen && !offered.includes(chosen) ? [chosen, ...offered] : offered;
    if (every.join("\n") === [...select.options].slice(1).map((o) => o.value).join("\n")) return;
    fill(select, el("option", { value: "" }, all), ...every.map((one) => el("option", { value: one }, word(one))));
    select.value = chosen;
  };
  offer(values, value);
  if (!select.options.length) fill(select, el("option", { value: "" }, all));
  return { element: el("div", { class: "filter" }, select), value: () => select.value, offer };
}

/**
 * @param {string} label
 * @param {string} value  YYYY-MM-DD
 * @param {() => void} changed
 */
export function dayBox(label, value, changed) {
  const input = /** @type {HTMLInputElement} */ (
    el("input", { type: "date", value, "aria-label": label, title: label, onchange: changed })
  );
  return { element: el("div", { class: "filter" }, input), value: () => input.value };
}
