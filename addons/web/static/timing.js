/** Where the time of a call went, as a bar and as a list. What the provider measured itself stands beside it. */

import { el, svg } from "./dom.js";
import { known, span } from "./format.js";

/** @typedef {import("./shapes.js").Exchange} Exchange */
/** @typedef {{name: string, kind: string, us: number}} Stretch */

const WIDTH = 1000;

/** @param {Exchange} exchange */
export function timing(exchange) {
  const stretches = cut(exchange);
  const whole = stretches.reduce((sum, stretch) => sum + stretch.us, 0);
  if (!whole) return el("p", { class: "nothing" }, "Nothing was measured.");
  const own = [
    known(exchange.prompt_us) && ["llama-server: prompt", span(exchange.prompt_us)],
    known(exchange.decode_us) && ["llama-server: decoding", span(exchange.decode_us)],
  ].filter(Boolean);
  const row = (/** @type {string} */ name, /** @type {string} */ value, kind = "") =>
    el("li", {}, el("span", { class: `key ${kind}` }), el("span", {}, name), el("span", { class: "num" }, value));
  return el(
    "div",
    { class: "timing" },
    bar(stretches, whole),
    el("ul", { class: "legend" }, stretches.map((s) => row(s.name, span(s.us), s.kind)), own.map(([name, value]) => row(name, value))),
  );
}

/**
 * The stretches of a call, in order: each ends where the next one begins. What is not known is part of the next.
 *
 * @param {Exchange} e
 * @returns {Stretch[]}
 */
export function cut(e) {
  const marks = [
    { name: "Patchbay", kind: "own", at: e.overhead_us },
    { name: "Connecting", kind: "connect", at: e.connect_us },
    { name: "Waiting for the first byte", kind: "wait", at: e.ttfb_us },
    { name: "Waiting for the first token", kind: "think", at: e.ttft_us },
    { name: known(e.ttft_us) ? "Answering" : "Until the end", kind: "reply", at: e.duration_us },
  ];
  let from = 0;
  /** @type {Stretch[]} */
  const stretches = [];
  for (const { name, kind, at } of marks) {
    if (!known(at) || at < from) continue;
    if (at > from) stretches.push({ name, kind, us: at - from });
    from = at;
  }
  return stretches;
}

/** @param {Stretch[]} stretches @param {number} whole */
function bar(stretches, whole) {
  let x = 0;
  const parts = stretches.map(({ name, kind, us }) => {
    const width = (WIDTH * us) / whole;
    const rect = svg("rect", { class: kind, x, y: 0, width: Math.max(width - 3, 1), height: 14 }, svg("title", {}, `${name}: ${span(us)}`));
    x += width;
    return rect;
  });
  const label = stretches.map(({ name, us }) => `${name} ${span(us)}`).join(", ");
  return svg("svg", { class: "bar", viewBox: `0 0 ${WIDTH} 14`, preserveAspectRatio: "none", role: "img", "aria-label": label }, parts);
}
