/** One running call: the conversation so far, and the answer as it streams. */

import { measure, outcomeBadge } from "./badges.js";
import { conversation } from "./conversation.js";
import { el, fill } from "./dom.js";
import { facts } from "./facts.js";
import { follow } from "./feed.js";
import { FeedLine } from "./feed_line.js";
import { count, dollars, span, speed } from "./format.js";
import { GrowingAnswer } from "./growing.js";
import { failed, waiting } from "./notice.js";
import { link } from "./router.js";

/**
 * @param {import("./main.js").Stage} stage
 * @param {string} id
 */
export async function showCall({ place, signal, title }, id) {
  title("A running call");
  const line = new FeedLine();
  const below = el("div", {}, waiting("Loading the conversation …"));
  const back = el("a", { href: link(["live"]), class: "back" }, "← Live");
  fill(place, back, el("div", { class: "head" }, el("h1", {}, "A running call"), line.element), below);
  /** @type {GrowingAnswer | null} */
  let answer = null;
  const over = new AbortController();
  signal.addEventListener("abort", () => over.abort());
  await follow({
    path: `live/${encodeURIComponent(id)}`,
    signal: over.signal,
    state: (state, why) => line.show(state, why),
    ended: (error) => fill(below, gone(error, id)),
    on: {
      conversation: (begun) => {
        answer = new GrowingAnswer(begun.answer);
        answer.element.dataset.follow = "yes";
        fill(below, conversation(begun.messages), answer.element);
      },
      piece: (piece) => answer?.add(piece),
      end: (call) => {
        answer?.end();
        line.element.remove();
        below.append(summary(call));
        over.abort();
      },
    },
  });
}

/** @param {import("./shapes.js").Call} call */
function summary(call) {
  const list = facts([
    ["Outcome", outcomeBadge(call.outcome, call.phase)],
    ["Elapsed", measure(call.elapsed_us, span)],
    ["First token", measure(call.ttft_us, span, "None came")],
    ["Tokens", measure(call.output_tokens, count)],
    ["Speed", measure(call.tokens_per_second, speed)],
    ["Cost", measure(call.cost, dollars, "No price is known")],
  ]);
  const more = el("a", { href: link(["history", call.id]) }, "Attempts, timing and resending are in History");
  return el("section", { class: "panel", "aria-label": "How it ended" }, list, el("p", {}, more));
}

/** A call that does not run any more is in History. @param {Error} error @param {string} id */
function gone(error, id) {
  const more = el("a", { href: link(["history", id]) }, "Look for it in History");
  return el("div", {}, failed(error), el("p", {}, more));
}
