/** Two recorded answers to the same prompt, side by side; the address can be kept. */

import { ask } from "./api.js";
import { measure, outcomeBadge, tag } from "./badges.js";
import { conversation, turn } from "./conversation.js";
import { el, fill } from "./dom.js";
import { count, dollars, span } from "./format.js";
import { waiting } from "./notice.js";
import { link } from "./router.js";

/** @typedef {import("./shapes.js").Exchange} Exchange */

/**
 * @param {import("./main.js").Stage} stage
 * @param {string} id
 * @param {string} other
 */
export async function showBeside({ place, signal, title }, id, other) {
  title("Two answers");
  const back = el("a", { href: link(["history", id]), class: "back" }, "← The call");
  fill(place, back, waiting());
  const [one, two] = await Promise.all([id, other].map((each) => ask(`exchanges/${encodeURIComponent(each)}`, {}, signal)));
  fill(
    place,
    back,
    el("h1", {}, "Two answers"),
    el("details", { class: "fold" }, el("summary", {}, "The prompt"), conversation(one.exchange.messages)),
    el("div", { class: "compared" }, side("First", one.exchange), side("Second", two.exchange)),
  );
}

/** One recorded answer with what it took. @param {string} label @param {Exchange} exchange */
export function side(label, exchange) {
  const none = el("p", { class: "nothing" }, "No answer was kept.");
  return el(
    "section",
    { class: "side", "aria-label": `${label}: ${exchange.model}` },
    el("h2", { class: "mono breakable" }, exchange.model),
    el("p", {}, tag(exchange.provider), outcomeBadge(exchange.outcome)),
    exchange.answer ? turn(exchange.answer) : none,
    el("div", { class: "foot" }, foot(exchange), el("a", { href: link(["history", exchange.id]) }, "Open this call")),
  );
}

/** What an answer took, in a line. @param {Exchange} e */
export function foot(e) {
  return el(
    "p",
    { class: "beside" },
    measure(e.output_tokens, count),
    " tok, first token ",
    measure(e.ttft_us, span, "None came"),
    ", took ",
    measure(e.duration_us, span),
    ", cost ",
    measure(e.cost, dollars, "No price is known"),
  );
}
