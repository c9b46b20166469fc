/**
 * Live: calls as they run. Rows are updated in place; the last ones that ended stay for a while.
 *
 * @typedef {import("./shapes.js").Call} Call
 */

import { measure, outcomeBadge, tag } from "./badges.js";
import { el, fill, spoken } from "./dom.js";
import { follow } from "./feed.js";
import { clock, count, dollars, span, speed } from "./format.js";
import { FeedLine } from "./feed_line.js";
import { showCall } from "./live_call.js";
import { noCalls, waiting } from "./notice.js";
import { ask } from "./api.js";
import { link } from "./router.js";
import { Table } from "./table.js";

const KEPT = 50; // calls that have ended
const TICK = 200; // ms

/** @type {import("./table.js").Column<Call>[]} */
const COLUMNS = [
  { name: "State", cell: (c) => outcomeBadge(c.outcome, c.phase), key: (c) => `${c.outcome} ${c.phase}` },
  { name: "Model", kind: "name", cell: nameOf, key: (c) => `${c.provider} ${c.model} ${c.attempt} ${c.phase}` },
  { name: "Client", kind: "wide", cell: (c) => c.client || measure(null, count, "It did not say"), key: (c) => c.client },
  { name: "Began", cell: (c) => clock(c.started_at), key: (c) => c.started_at },
  { name: "Elapsed", kind: "num", cell: (c) => measure(c.elapsed_us, span), key: (c) => span(c.elapsed_us) },
  { name: "First token", kind: "num", cell: (c) => measure(c.ttft_us, span, "None has come"), key: (c) => c.ttft_us },
  { name: "Tokens", kind: "num", cell: tokens, key: (c) => `${c.output_tokens} ${c.estimated}` },
  { name: "Speed", kind: "num", cell: (c) => measure(c.tokens_per_second, speed), key: (c) => c.tokens_per_second },
  { name: "Cost", kind: "num", cell: (c) => measure(c.cost, dollars, price(c)), key: (c) => `${c.cost} ${c.phase}` },
];

/** @type {import("./main.js").View} */
export const live = {
  name: "live",
  title: "Live",
  async show(stage) {
    const [, id] = stage.route.path;
    await (id ? showCall(stage, id) : showCalls(stage));
  },
};

/** @param {import("./main.js").Stage} stage */
async function showCalls({ place, signal }) {
  const line = new FeedLine();
  const list = new Calls();
  fill(place, el("div", { class: "head" }, el("h1", {}, "Live"), list.count, line.element), list.element);
  const timer = setInterval(() => list.tick(performance.now()), TICK);
  signal.addEventListener("abort", () => clearInterval(timer));
  await follow({
    path: "live",
    signal,
    state: (state, why) => line.show(state, why),
    on: {
      calls: ({ calls }) => list.begin(calls),
      call: (call) => list.take(call),
    },
  });
}

/** The calls that are known, newest first: those that run, then those that ended. */
class Calls {
  constructor() {
    /** @type {Map<string, {call: Call, at: number}>} */
    this._known = new Map();
    this._table = new Table("Calls", COLUMNS, (c) => c.id, (c) => (c.phase === "ended" ? "ended" : "running"));
    this.count = el("p", { class: "count" });
    this._body = el("div", {}, waiting());
    this.element = el("div", {}, this._body);
  }

  /** The whole state: what runs and is not in it has ended unseen. @param {Call[]} calls */
  begin(calls) {
    for (const [id, { call }] of this._known) if (call.phase !== "ended") this._known.delete(id);
    for (const call of calls) this._keep(call);
    this._draw();
  }

  /** @param {Call} call */
  take(call) {
    const before = this._known.get(call.id)?.call;
    this._keep(call);
    if (before && before.phase !== "ended" && call.phase !== "ended") this._table.update(call);
    else this._draw();
  }

  /** Time goes on between two reports. @param {number} now */
  tick(now) {
    for (const { call, at } of this._known.values()) {
      if (call.phase === "ended") continue;
      this._table.update({ ...call, elapsed_us: call.elapsed_us + 1000 * (now - at) });
    }
  }

  /** @param {Call} call */
  _keep(call) {
    this._known.set(call.id, { call, at: performance.now() });
  }

  _draw() {
    const calls = [...this._known.values()].map((known) => known.call).sort((a, b) => b.started_at - a.started_at);
    const running = calls.filter((call) => call.phase !== "ended");
    const ended = calls.filter((call) => call.phase === "ended");
    for (const { id } of ended.splice(KEPT)) this._known.delete(id);
    this.count.textContent = `${count(running.length)} running`;
    this._table.show([...running, ...ended]);
    if (calls.length) fill(this._body, this._table.element);
    else this._drawNothing();
  }

  /** Nothing runs: on the first day that needs other words than on the hundredth. */
  async _drawNothing() {
    const recorded = await ask("history", { limit: 1 }).then(({ exchanges }) => exchanges.length > 0, () => false);
    if (this._known.size) return;
    fill(this._body, recorded ? quiet() : noCalls());
  }
}

function quiet() {
  return el(
    "div",
    { class: "notice empty" },
    el("h2", {}, "No call is running"),
    el("p", {}, "The next one appears here at once. ", el("a", { href: link(["history"]) }, "History"), " has those that ended."),
  );
}

/** @param {Call} call */
function nameOf(call) {
  const to = call.phase === "ended" ? ["history", call.id] : ["live", call.id];
  const alias = call.requested_model && call.requested_model !== call.model;
  return [
    el("a", { href: link(to), class: "row-link mono breakable" }, call.model || call.requested_model || "(no model named)"),
    el("span", { class: "beside" }, alias ? `${call.provider}, asked as ${call.requested_model}` : call.provider),
    call.attempt > 1 && tag(`attempt ${call.attempt}`, "What was tried before did not answer"),
  ];
}

/** @param {Call} call */
function tokens(call) {
  if (!call.estimated || call.output_tokens === null) return measure(call.output_tokens, count);
  return el("span", { class: "num", title: "Estimated from the text so far" }, "≈ ", count(call.output_tokens), spoken(" estimated"));
}

/** @param {Call} call */
function price(call) {
  return call.phase === "ended" ? "No price is known" : "Known when the call has ended";
}
