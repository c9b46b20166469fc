/**
 * Resend to …: the same call to another model, its answer streamed beside the one that is recorded.
 *
 * Nothing is sent before one presses the button, and going back or reloading sends nothing again: a call costs money.
 */

import { ApiError, ask, isAbort, reach } from "./api.js";
import { foot, side } from "./beside.js";
import { Reader } from "./dialects.js";
import { announce, el, fill } from "./dom.js";
import { span } from "./format.js";
import { pause } from "./feed.js";
import { GrowingAnswer } from "./growing.js";
import { failed } from "./notice.js";
import { picker } from "./picker.js";
import { link } from "./router.js";
import { events } from "./sse.js";

/** @typedef {import("./shapes.js").Exchange} Exchange */

const LOOKS = 20; // for the record of the new call, which is written behind its answer
const BETWEEN = 250; // ms

/**
 * @param {Exchange} exchange
 * @param {AbortSignal} signal
 */
export function resendPanel(exchange, signal) {
  const { possible, complete, missing } = exchange.resend;
  const head = el("h2", {}, "Resend to …");
  if (!possible) {
    const why = missing.length ? `What is lacking: ${missing.join(", ")}.` : "Only conversations can be sent again.";
    return el("section", { class: "panel", "aria-label": "Resend" }, head, el("p", {}, "This call cannot be sent again. ", why));
  }
  const choose = picker("Model to send it to", exchange.requested_model || exchange.model, signal);
  const button = el("button", { type: "submit", class: "primary" }, "Resend");
  const form = el("form", { class: "resend" }, choose.element, button);
  const problem = el("div", {});
  /** @type {Resending | null} */
  let running = null;
  const lacks = !complete && el("p", { class: "warn-line" }, `It is sent without what was not kept: ${missing.join(", ")}.`);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    fill(problem);
    const model = choose.value();
    if (!model) return choose.complain("Write or choose a model first.");
    running?.stop(); // one at a time: an answer that nobody sees would still be paid for
    running = new Resending(exchange, model, signal, problem);
    await running.run();
  });
  return el("section", { class: "panel", "aria-label": "Resend" }, head, form, lacks, problem);
}

/** One new call, from its request to its record. */
class Resending {
  /** @param {Exchange} exchange @param {string} model @param {AbortSignal} signal @param {HTMLElement} problem */
  constructor(exchange, model, signal, problem) {
    this._exchange = exchange;
    this._model = model;
    this._problem = problem;
    this._stop = new AbortController();
    signal.addEventListener("abort", () => this.stop());
    this._answer = new GrowingAnswer();
    this._foot = el("div", { class: "foot" });
    this._button = el("button", { type: "button", onclick: () => this.stop() }, "Stop");
  }

  stop() {
    this._stop.abort();
  }

  async run() {
    const path = `exchanges/${encodeURIComponent(this._exchange.id)}/request`;
    try {
      const request = await ask(path, { model: this._model }, this._stop.signal);
      this._show();
      await this._call(request);
    } catch (error) {
      this._fail(/** @type {Error} */ (error));
    }
  }

  /** Put the two answers side by side, above everything. */
  _show() {
    const old = document.querySelector(".columns");
    document.querySelector(".compared")?.remove();
    this._place = el(
      "section",
      { class: "compared", "aria-label": "Two answers", tabindex: "-1" },
      side("Recorded", this._exchange),
      el("div", { class: "side" }, el("h2", { class: "mono breakable" }, this._model), this._answer.element, this._foot),
    );
    fill(this._foot, this._button);
    old?.before(this._place);
    this._place.focus();
  }

  /** @param {{path: string, body: Record<string, unknown>}} request */
  async _call({ path, body }) {
    const began = performance.now();
    const response = await reach(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...body, stream: true }),
      signal: this._stop.signal,
    });
    const reader = new Reader(this._exchange.dialect);
    for await (const event of events(response)) {
      const { pieces, failure } = reader.read(event);
      pieces.forEach((piece) => this._answer.add(piece));
      if (failure) throw new ApiError(failure, 0);
    }
    if (!reader.ended) throw new ApiError("The answer broke off before it was complete.", 0);
    this._answer.end();
    announce("The new answer is complete.");
    const took = Math.round(1000 * (performance.now() - began));
    await this._tell(response.headers.get("x-patchbay-id"), took);
  }

  /** What the new call took, from its record. @param {string | null} id @param {number} took µs */
  async _tell(id, took) {
    fill(this._foot, el("p", { class: "beside" }, `took ${span(took)}`));
    for (let look = 0; id && look < LOOKS; look += 1) {
      const found = await this._recorded(id);
      if (found) {
        fill(this._foot, foot(found), el("a", { href: link(["history", this._exchange.id, "beside", id]) }, "A link to these two answers"));
        return;
      }
      await pause(BETWEEN, this._stop.signal);
    }
  }

  /** The record of the new call, once it is written; null before, and where it cannot be read. @param {string} id */
  async _recorded(id) {
    try {
      const { exchange } = await ask(`exchanges/${encodeURIComponent(id)}`, {}, this._stop.signal);
      return exchange.outcome === null ? null : exchange;
    } catch (error) {
      if (isAbort(error)) throw error;
      return null;
    }
  }

  /** @param {Error} error */
  _fail(error) {
    const stopped = isAbort(error) || this._stop.signal.aborted;
    this._answer.end(stopped ? "(stopped)" : "(nothing came)");
    if (stopped) fill(this._foot, el("p", { class: "beside" }, "You stopped it."));
    else fill(this._place ? this._foot : this._problem, failed(error));
  }
}
