/** Copying: a button that says whether it worked. */

import { announce, el, fill, svg } from "./dom.js";

const SHOWN = 1500; // ms
const SHEETS = "M5.5 5.5V2.5h8v8h-3M2.5 5.5h8v8h-8z";
const TICK = "M3 8.5l3.5 3.5L13 4.5";

/**
 * A button that copies `text`.
 *
 * @param {string} text
 * @param {string} what  names it for a screen reader: `Copy ${what}`
 */
export function copyButton(text, what) {
  const label = `Copy ${what}`;
  const button = el("button", { type: "button", class: "copy quiet", "aria-label": label, title: label }, icon(SHEETS));
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    const done = await copied(text);
    fill(button, done ? icon(TICK) : "Select and copy it");
    announce(done ? `Copied ${what}` : "Copying is not allowed here: select the text and copy it.");
    setTimeout(() => fill(button, icon(SHEETS)), SHOWN);
  });
  return button;
}

/** Lines to paste into a terminal, with a button. @param {string[]} lines @param {string} what */
export function copyable(lines, what) {
  const text = lines.join("\n");
  return el("div", { class: "copyable" }, el("pre", {}, text), copyButton(text, what));
}

/** @param {string} path */
function icon(path) {
  return svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { d: path }));
}

/** @param {string} text */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // a page without focus, or a browser that wants to be asked
  }
}
