/** Picks a model: one writes a part of its name and chooses, or writes a name that is not in the list. */

import { ask } from "./api.js";
import { el, fill } from "./dom.js";

const USABLE = new Set(["loaded", "loading", "available", "ready"]);

/**
 * @param {string} label
 * @param {string} avoid  a name that is offered last: what answered already
 * @param {AbortSignal} signal
 */
export function picker(label, avoid, signal) {
  const list = el("datalist", { id: "models-to-pick" });
  const problem = el("p", { class: "error-line", id: "picker-problem", role: "alert" });
  const input = /** @type {HTMLInputElement} */ (
    el("input", {
      type: "text",
      list: "models-to-pick",
      "aria-label": label,
      "aria-describedby": "picker-problem",
      placeholder: "provider/model",
      spellcheck: "false",
      autocomplete: "off",
    })
  );
  input.addEventListener("input", () => fill(problem));
  offer(list, avoid, signal);
  return {
    element: el("div", { class: "picker" }, input, list, problem),
    value: () => input.value.trim(),
    complain: (/** @type {string} */ what) => {
      fill(problem, what);
      input.focus();
    },
  };
}

/** @param {HTMLElement} list @param {string} avoid @param {AbortSignal} signal */
async function offer(list, avoid, signal) {
  const answer = await ask("models", {}, signal).catch(() => null);
  if (!answer) return; // a name can still be written
  /** @type {import("./shapes.js").Model[]} */
  const usable = answer.models.filter((/** @type {import("./shapes.js").Model} */ m) => USABLE.has(m.state));
  usable.sort((a, b) => Number(a.name === avoid) - Number(b.name === avoid));
  fill(list, ...usable.map((m) => el("option", { value: m.name }, `${m.provider}, ${m.state}`)));
}
