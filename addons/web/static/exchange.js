/** One recorded call: what was said, who was tried, what was lost on the way, what it took and what it cost. */

import { ask } from "./api.js";
import { measure, outcomeBadge, outcomeMeaning, tag } from "./badges.js";
import { attempts } from "./attempts.js";
import { conversation, turn } from "./conversation.js";
import { copyButton } from "./copy.js";
import { el, fill } from "./dom.js";
import { facts } from "./facts.js";
import { bytes, clock, count, day, dollars, pace, span, speed } from "./format.js";
import { waiting } from "./notice.js";
import { resendPanel } from "./resend.js";
import { link } from "./router.js";
import { timing } from "./timing.js";

/** @typedef {import("./shapes.js").Exchange} Exchange */

const SOURCES = {
  provider: "the provider's own figure",
  registry: "by the price in registry.yaml",
  "genai-prices": "by genai-prices",
};

/**
 * @param {import("./main.js").Stage} stage
 * @param {string} id
 */
export async function showExchange({ place, signal, title }, id) {
  title("A call");
  const back = el("a", { href: link(["history"]), class: "back" }, "← History");
  fill(place, back, waiting());
  const { exchange } = await ask(`exchanges/${encodeURIComponent(id)}`, {}, signal);
  title(`${exchange.model} ${clock(exchange.started_at)}`);
  fill(
    place,
    back,
    heading(exchange),
    exchange.error && el("p", { class: "error-line" }, `${outcomeMeaning(exchange.outcome ?? "")} `, el("span", { class: "mono" }, exchange.error)),
    summary(exchange),
    el("div", { class: "columns" }, said(exchange), aside(exchange, signal)),
  );
}

/** @param {Exchange} exchange */
function heading(exchange) {
  const asked = exchange.requested_model;
  const alias = asked !== exchange.model && asked ? el("span", { class: "beside" }, `asked as ${asked}`) : null;
  const when = `${day(exchange.started_at)}, ${clock(exchange.started_at)}`;
  return el(
    "div",
    { class: "head" },
    el("h1", { class: "mono breakable" }, exchange.model || "(no model named)"),
    tag(exchange.provider),
    outcomeBadge(exchange.outcome),
    exchange.rescued ? tag("rescued", "Another provider went on with an answer that broke off") : null,
    alias,
    el("span", { class: "beside when" }, when),
  );
}

/** @param {Exchange} e */
function summary(e) {
  const whose = SOURCES[/** @type {keyof typeof SOURCES} */ (e.price_source ?? "")];
  return facts([
    ["Input", [measure(e.input_tokens, count), " tok"]],
    ["Cached", measure(e.cache_read_tokens, count), "Read from the provider's prompt cache"],
    ["Output", [measure(e.output_tokens, count), " tok"]],
    ["Reasoning", measure(e.reasoning_tokens, count), "Part of the output"],
    ["Cost", [measure(e.cost, dollars, "No price is known"), whose && el("span", { class: "beside" }, whose)]],
    ["First token", measure(e.ttft_us, span, "None came")],
    ["Took", measure(e.duration_us, span)],
    ["Speed", measure(pace(e), speed)],
  ]);
}

/** @param {Exchange} exchange */
function said(exchange) {
  const { messages, answer } = exchange;
  const nothing = el("p", { class: "nothing" }, "The conversation was not kept, or was forgotten.");
  const none = el("p", { class: "nothing" }, exchange.outcome === null ? "The answer has not ended yet." : "No answer was kept.");
  return el(
    "section",
    { class: "said-there", "aria-label": "Conversation" },
    messages.length ? conversation(messages) : nothing,
    el("div", { class: "answer" }, answer ? turn(answer) : none),
  );
}

/** @param {Exchange} exchange @param {AbortSignal} signal */
function aside(exchange, signal) {
  return el(
    "div",
    { class: "aside" },
    resendPanel(exchange, signal),
    panel("Timing", timing(exchange)),
    panel("Attempts", attempts(exchange.attempts)),
    exchange.dropped.length > 0 && panel("Changed on the way", dropped(exchange.dropped)),
    others(exchange),
    panel("Details", details(exchange)),
  );
}

/** @param {string} title @param {import("./dom.js").Child} inner */
function panel(title, inner) {
  return el("section", { class: "panel", "aria-label": title }, el("h2", {}, title), inner);
}

/** @param {string[]} notes */
function dropped(notes) {
  const why = el("p", { class: "beside" }, "The provider's dialect could not say these:");
  return el("div", {}, why, el("ul", { class: "plain" }, notes.map((note) => el("li", { class: "breakable" }, note))));
}

/** Links to its neighbours: the same conversation, and other answers to the same prompt. @param {Exchange} exchange */
function others(exchange) {
  const same = exchange.same_conversation.filter(({ id }) => id !== exchange.id);
  const calls = same.map(({ id, started_at: at }) => el("li", {}, el("a", { href: link(["history", id]) }, `${day(at)}, ${clock(at)}`)));
  const answers = exchange.siblings.map((id, at) =>
    el("li", {}, el("a", { href: link(["history", exchange.id, "beside", id]) }, `Put answer ${count(at + 2)} beside this one`)),
  );
  return [
    answers.length > 0 && panel("Other answers to this prompt", el("ul", { class: "plain" }, answers)),
    calls.length > 0 && panel("Same conversation", el("ul", { class: "plain short-list" }, calls)),
  ];
}

/** @param {Exchange} e */
function details(e) {
  return facts([
    ["Id", [el("span", { class: "mono breakable" }, e.id), copyButton(e.id, "the id")]],
    ["Client", e.client || measure(null, count, "It did not say")],
    ["Asked", `${e.operation} (${e.dialect}${e.stream ? ", streamed" : ""})`],
    ["Status", measure(e.status, String, "No status was sent")],
    ["Finish reason", e.finish_reason || measure(null, count)],
    ["Ended by", e.who_ended || measure(null, count)],
    ["Sent in, out", [measure(e.bytes_in, bytes), ", ", measure(e.bytes_out, bytes)]],
    ["Cache written", measure(e.cache_write_tokens, count)],
    ["Provider's id", e.request_id_upstream ? el("span", { class: "mono breakable" }, e.request_id_upstream) : measure(null, count)],
  ]);
}
