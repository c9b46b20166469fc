/** Names and values side by side. */

import { el } from "./dom.js";

/**
 * @param {[name: string, value: import("./dom.js").Child | import("./dom.js").Child[], title?: string][]} pairs
 */
export function facts(pairs) {
  return el(
    "dl",
    { class: "facts" },
    pairs.map(([name, value, title]) => el("div", { title }, el("dt", {}, name), el("dd", {}, value))),
  );
}
