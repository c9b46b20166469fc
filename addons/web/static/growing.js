/**
 * An answer that grows: pieces are added to the text they belong to, so that nothing is drawn twice and a selection
 * stays.
 *
 * @typedef {import("./shapes.js").Piece} Piece
 */

import { tag } from "./badges.js";
import { frame, partOf } from "./conversation.js";
import { el } from "./dom.js";

const NEAR = 80; // px from the end of the page: whoever reads there wants to stay there

export class GrowingAnswer {
  /** @param {import("./shapes.js").Message | null} [begun]  what had come before one began to look */
  constructor(begun) {
    this._parts = el("div", { class: "grown" });
    this._waiting = el("p", { class: "nothing" }, "Waiting for the first token …");
    /** @type {Map<string, Text>} */
    this._texts = new Map();
    this.element = frame("assistant", el("h3", { class: "who" }, "assistant"), [this._waiting, this._parts]);
    (begun?.parts ?? []).forEach((part, at) => this._adopt(part, at));
  }

  /** Whether something of the answer is there. */
  get begun() {
    return this._parts.childElementCount > 0;
  }

  /** @param {Piece} piece */
  add(piece) {
    const follows = window.innerHeight + window.scrollY >= document.body.scrollHeight - NEAR;
    const key = `${piece.part} ${piece.kind}`;
    const text = this._texts.get(key) ?? this._open(key, piece.kind, piece.name ?? "");
    text.appendData(piece.text);
    if (follows && this.element.dataset.follow === "yes") window.scrollTo(0, document.body.scrollHeight);
  }

  /** It is over: nothing more is waited for. @param {string} [said]  where nothing came */
  end(said = "(no text)") {
    this._waiting.textContent = said;
    this._waiting.hidden = this.begun;
  }

  /** @param {import("./shapes.js").Part} part @param {number} at */
  _adopt(part, at) {
    const kind = part.part === "tool_call" ? "tool" : part.part;
    if (kind !== "text" && kind !== "reasoning" && kind !== "refusal" && kind !== "tool") {
      this._waiting.hidden = true;
      this._parts.append(partOf(part));
      return;
    }
    this._open(`${at} ${kind}`, kind, part.name ?? "").appendData(part.text ?? part.arguments ?? "");
  }

  /** @param {string} key @param {Piece["kind"]} kind @param {string} name @returns {Text} */
  _open(key, kind, name) {
    this._waiting.hidden = true;
    const text = document.createTextNode("");
    this._texts.set(key, text);
    this._parts.append(PLACES[kind](text, name));
    return text;
  }
}

/** @type {Record<Piece["kind"], (text: Text, name: string) => Node>} */
const PLACES = {
  text: (text) => el("div", { class: "text" }, text),
  refusal: (text) => el("div", { class: "part refusal" }, tag("refusal"), el("div", { class: "text" }, text)),
  reasoning: (text) => el("details", { class: "fold", open: true }, el("summary", {}, "Reasoning"), el("div", { class: "text" }, text)),
  tool: (text, name) => {
    const head = el("p", { class: "tool-name" }, tag("calls"), el("span", { class: "mono breakable" }, name));
    return el("div", { class: "part tool" }, head, el("pre", { tabindex: "0", "aria-label": `arguments of ${name}` }, text));
  },
};
