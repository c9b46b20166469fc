/** What a view shows where it has nothing to show: that it waits, that nothing is there, that something failed. */

import { copyable } from "./copy.js";
import { el } from "./dom.js";

/** @param {string} [what] */
export function waiting(what = "Loading …") {
  return el("p", { class: "notice waiting" }, what);
}

/** @param {string} title @param {...(import("./dom.js").Child)} more */
export function empty(title, ...more) {
  return el("div", { class: "notice empty" }, el("h2", {}, title), ...more);
}

/** What failed and what to do; with `again`, a button that tries. @param {Error} error @param {() => void} [again] */
export function failed(error, again) {
  const button = again && el("button", { type: "button", onclick: again }, "Try again");
  return el("div", { class: "notice failed", role: "alert" }, el("p", {}, error.message), button);
}

/** What to do on the first day: lines that make a call. */
export function noCalls() {
  const base = location.origin;
  return empty(
    "No calls yet",
    el("p", {}, "Point a client at Patchbay, or make the first call from a terminal:"),
    copyable(firstCall(base), "the first call"),
    el("p", {}, el("a", { href: "#/providers" }, "Ready lines for your clients"), " stand under Providers."),
  );
}

/** @param {string} base */
function firstCall(base) {
  const body = { model: "demo", stream: true, messages: [{ role: "user", content: "Hello" }] };
  return [
    `curl -N ${base}/v1/chat/completions -H 'content-type: application/json' \\`,
    `  -d '${JSON.stringify(body)}'`,
  ];
}
