/** Conversations as turns that can be read: all of it is text, whatever it looks like. */

import { tag } from "./badges.js";
import { el } from "./dom.js";
import { bytes, count } from "./format.js";

/** @typedef {import("./shapes.js").Part} Part */
/** @typedef {import("./shapes.js").Message} Message */

const LAST = 12; // messages shown of a long conversation
const LONG = 4000; // characters of one text shown at once
const FOLDED = new Set(["system", "developer"]); // what is said by programs, and long

/** @type {Record<Part["part"], (part: Part) => Node>} */
const PARTS = {
  text: (part) => longText(part.text ?? ""),
  reasoning: (part) => reasoning(part),
  refusal: (part) => el("div", { class: "part refusal" }, tag("refusal"), longText(part.text ?? "")),
  tool_call: (part) => toolCall(part.name ?? "", part.arguments ?? ""),
  tool_result: (part) => toolResult(part),
  media: (part) => media(part),
  opaque: (part) => fold(`${part.type || "unknown"} (kept as it came)`, el("pre", { tabindex: "0" }, pretty(part.raw ?? ""))),
};

/** The turns of a conversation; of a long one the last, and a button for the others. @param {Message[]} messages */
export function conversation(messages) {
  const place = el("div", { class: "turns" });
  const early = messages.slice(0, -LAST);
  if (early.length) {
    const button = el("button", { type: "button", class: "quiet" }, `Show ${count(early.length)} earlier messages`);
    button.addEventListener("click", () => {
      const turns = early.map(turn);
      button.replaceWith(...turns);
      turns[0].focus();
    });
    place.append(button);
  }
  place.append(...messages.slice(-LAST).map(turn));
  return place;
}

/** One turn. @param {Message} message @returns {HTMLElement} */
export function turn(message) {
  const parts = message.parts.map(partOf);
  const words = message.parts.reduce((sum, part) => sum + (part.text ?? "").length, 0);
  const head = el("h3", { class: "who" }, message.role || "(left out)");
  if (FOLDED.has(message.role) && words > 200) {
    return frame(message.role, head, [fold(`${opening(message)} … (${count(words)} characters)`, ...parts)]);
  }
  return frame(message.role, head, parts.length ? parts : [el("p", { class: "nothing" }, "(nothing)")]);
}

/** @param {string} role @param {HTMLElement} head @param {Node[]} parts */
export function frame(role, head, parts) {
  const known = ["system", "developer", "user", "assistant", "tool"].includes(role) ? role : "other";
  return el("article", { class: `turn ${known}`, tabindex: "-1" }, head, el("div", { class: "parts" }, parts));
}

/** A part in the way of its kind. @param {Part} part */
export function partOf(part) {
  return (PARTS[part.part] ?? PARTS.opaque)(part);
}

/** Text, folded where it is very long. @param {string} text */
function longText(text) {
  if (text.length <= LONG) return el("div", { class: "text" }, text);
  const place = el("div", { class: "text" }, text.slice(0, LONG), "…");
  const rest = el("button", { type: "button", class: "quiet" }, `Show all ${count(text.length)} characters`);
  rest.addEventListener("click", () => {
    place.textContent = text;
    rest.remove();
  });
  return el("div", {}, place, rest);
}

/** @param {Part} part */
function reasoning(part) {
  if (!part.text) return el("p", { class: "nothing" }, "(reasoning, kept secret by the provider)");
  return fold(`Reasoning (${count(part.text.length)} characters)`, el("div", { class: "text" }, part.text));
}

/** @param {string} name @param {string} given */
function toolCall(name, given) {
  const head = el("p", { class: "tool-name" }, tag("calls"), el("span", { class: "mono breakable" }, name));
  return el("div", { class: "part tool" }, head, el("pre", { tabindex: "0", "aria-label": `arguments of ${name}` }, pretty(given)));
}

/** @param {Part} part */
function toolResult(part) {
  const inner = (part.parts ?? []).map(partOf);
  const size = (part.parts ?? []).reduce((sum, one) => sum + (one.text ?? "").length, 0);
  const title = `${part.is_error ? "Tool failed" : "Tool answered"} (${count(size)} characters)`;
  const folded = /** @type {HTMLDetailsElement} */ (fold(title, ...inner));
  folded.open = size <= 600;
  folded.classList.toggle("error", Boolean(part.is_error));
  return folded;
}

/** @param {Part} part */
function media(part) {
  const about = [part.media_type, part.size ? bytes(part.size) : ""].filter(Boolean).join(", ");
  const where = part.ref?.startsWith("blake2b:") ? "" : part.ref;
  const place = where && el("span", { class: "mono breakable beside" }, where);
  return el("p", { class: "part media" }, tag(part.kind ?? "file"), about, place);
}

/** @param {string} title @param {...Node} inner */
function fold(title, ...inner) {
  return el("details", { class: "fold" }, el("summary", {}, title), ...inner);
}

/** The first words of a message, on one line. @param {Message} message */
function opening(message) {
  const text = message.parts.find((part) => part.text)?.text ?? "";
  return text.slice(0, 80).replace(/\s+/g, " ");
}

/** JSON with indents; anything else as it is. @param {string} text */
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
