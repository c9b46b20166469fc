/** The attempts of a call: who was tried, in order, and how each ended. */

import { measure, outcomeBadge, tag } from "./badges.js";
import { el } from "./dom.js";
import { count, dollars, span } from "./format.js";

/** @typedef {import("./shapes.js").Attempt} Attempt */

/** @param {Attempt[]} made */
export function attempts(made) {
  if (!made.length) return el("p", { class: "nothing" }, "Nobody was asked.");
  return el("ol", { class: "attempts" }, made.map(attempt));
}

/** @param {Attempt} a */
function attempt(a) {
  const server = a.endpoint ? `, server ${a.endpoint}` : "";
  return el(
    "li",
    {},
    el("div", { class: "attempt-head" }, el("span", { class: "mono breakable" }, `${a.provider}/${a.model}`, server), outcomeBadge(a.outcome)),
    a.stale ? tag("stale connection", "The provider had closed an idle connection: it was tried again at no cost") : null,
    el("p", { class: "beside" }, ...numbers(a)),
    a.error && el("p", { class: "error-line mono breakable" }, a.error),
  );
}

/** @param {Attempt} a @returns {import("./dom.js").Child[]} */
function numbers(a) {
  return [
    a.status !== null && `status ${a.status}, `,
    measure(a.duration_us, span),
    a.output_tokens !== null && a.output_tokens !== undefined && `, ${count(a.output_tokens)} tok out`,
    a.cost !== null && a.cost !== undefined && `, ${dollars(a.cost)}`,
  ];
}
