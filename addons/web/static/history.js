/**
 * History: what was recorded, newest first, searched and filtered; what is asked stands in the address.
 *
 * @typedef {import("./shapes.js").Row} Row
 */

import { ask, isAbort } from "./api.js";
import { measure, outcomeBadge, outcomeWord } from "./badges.js";
import { el, fill } from "./dom.js";
import { showBeside } from "./beside.js";
import { showExchange } from "./exchange.js";
import { choice, dayBox, searchBox } from "./filters.js";
import { clock, count, day, dollars, span } from "./format.js";
import { empty, failed, noCalls, waiting } from "./notice.js";
import { link, replace } from "./router.js";
import { Table } from "./table.js";

const PAGE = 50;
const NAMES = ["search", "provider", "model", "outcome", "client", "day"];

/** @type {import("./table.js").Column<Row>[]} */
const COLUMNS = [
  { name: "Began", kind: "time", cell: (r) => el("time", { title: day(r.started_at) }, clock(r.started_at)), key: () => 1 },
  { name: "Said", kind: "name", cell: said, key: (r) => r.snippet },
  { name: "Model", kind: "model", cell: modelOf, key: (r) => r.model },
  { name: "Outcome", kind: "outcome", cell: (r) => outcomeBadge(r.outcome), key: (r) => r.outcome },
  { name: "In", kind: "num", cell: (r) => measure(r.input_tokens, count), key: (r) => r.input_tokens },
  { name: "Out", kind: "num", cell: (r) => measure(r.output_tokens, count), key: (r) => r.output_tokens },
  { name: "First token", kind: "num wide", cell: (r) => measure(r.ttft_us, span, "None came"), key: (r) => r.ttft_us },
  { name: "Took", kind: "num", cell: (r) => measure(r.duration_us, span), key: (r) => r.duration_us },
  { name: "Cost", kind: "num", cell: (r) => measure(r.cost, dollars, "No price is known"), key: (r) => r.cost },
];

/** What was shown last: whoever comes back from a call finds the list as it was. */
const last = { asked: "", rows: /** @type {Row[]} */ ([]), next: /** @type {number | null} */ (null), at: 0 };

/** @type {import("./main.js").View} */
export const history = {
  name: "history",
  title: "History",
  async show(stage) {
    const [, id, way, other] = stage.route.path;
    if (id && way === "beside" && other) await showBeside(stage, id, other);
    else if (id) await showExchange(stage, id);
    else await showList(stage);
  },
};

/** @param {import("./main.js").Stage} stage */
async function showList({ place, route, signal }) {
  const list = new List(route.query, signal);
  fill(place, el("h1", {}, "History"), list.element);
  const scrolled = () => (last.at = window.scrollY);
  const { at } = last; // what moves while the page is built is nobody's reading
  if (list.remembers()) requestAnimationFrame(() => window.scrollTo(0, at));
  window.addEventListener("scroll", scrolled, { passive: true, signal });
  const look = () => document.hidden || list.load();
  document.addEventListener("visibilitychange", look, { signal });
  await Promise.all([list.load(), list.offer()]);
}

/** The filters, the rows that are known, and how to get older ones. */
class List {
  /** @param {URLSearchParams} query @param {AbortSignal} signal */
  constructor(query, signal) {
    this._signal = signal;
    this._turn = 0;
    /** @type {Row[]} */
    this._rows = [];
    /** @type {number | null} */
    this._next = null;
    const given = (/** @type {string} */ name) => query.get(name) ?? "";
    const again = () => this._restart();
    this._filters = {
      search: searchBox("Search what was said", given("search"), again),
      provider: choice("Provider", "All providers", [], given("provider"), again),
      model: choice("Model", "All models", [], given("model"), again),
      outcome: choice("Outcome", "All outcomes", [], given("outcome"), again, outcomeWord),
      client: choice("Client", "All clients", [], given("client"), again),
      day: dayBox("Day", given("day"), again),
    };
    this._clear = el("button", { type: "button", class: "quiet", onclick: () => this._forget() }, "Clear");
    this._older = el("button", { type: "button", class: "older", onclick: () => this._more() }, "Older");
    this._body = el("div", {}, waiting());
    this._problem = el("div", {});
    const bar = el("div", { class: "filters" }, ...Object.values(this._filters).map((f) => f.element), this._clear);
    this.element = el("div", {}, bar, this._problem, this._body, this._older);
    this._older.hidden = true;
  }

  /** Show what the same question showed a moment ago; whether there was such a thing. */
  remembers() {
    if (last.asked !== link([], this._asked()) || !last.rows.length) return false;
    [this._rows, this._next] = [last.rows, last.next];
    this._draw();
    return true;
  }

  /** Ask for the newest ones, and join them to what is known. */
  async load() {
    const turn = (this._turn += 1);
    try {
      const { exchanges, next } = await ask("history", { ...this._asked(), limit: PAGE }, this._signal);
      if (turn !== this._turn) return; // one has typed on
      this._join(exchanges, next);
      fill(this._problem);
      this._draw();
    } catch (error) {
      this._fail(error, () => this.load());
    }
  }

  /** What may be chosen. */
  async offer() {
    const facets = await ask("history/facets", {}, this._signal).catch(() => null);
    if (!facets) return; // the list itself says what is wrong
    for (const name of ["provider", "model", "outcome", "client"]) this._filters[name].offer(facets[`${name}s`]);
  }

  /** @param {Row[]} newest @param {number | null} next */
  _join(newest, next) {
    const oldest = newest.at(-1)?.seq ?? Infinity;
    const meets = this._rows.some((row) => row.seq >= oldest);
    if (meets && next !== null) this._rows = [...newest, ...this._rows.filter((row) => row.seq < oldest)];
    else [this._rows, this._next] = [newest, next];
  }

  _asked() {
    return Object.fromEntries(NAMES.map((name) => [name, this._filters[name].value()]));
  }

  _restart() {
    replace(link(["history"], this._asked()));
    this._rows = [];
    this.load();
  }

  _forget() {
    location.hash = link(["history"]);
  }

  async _more() {
    const turn = this._turn;
    this._older.textContent = "Loading …";
    try {
      const { exchanges, next } = await ask("history", { ...this._asked(), before: this._next, limit: PAGE }, this._signal);
      if (turn !== this._turn) return;
      [this._rows, this._next] = [[...this._rows, ...exchanges], next];
      this._draw();
    } catch (error) {
      this._fail(error, () => this._more());
    } finally {
      this._older.textContent = "Older";
    }
  }

  _draw() {
    Object.assign(last, { asked: link([], this._asked()), rows: this._rows, next: this._next });
    const narrowed = Object.values(this._asked()).some(Boolean);
    this._clear.hidden = !narrowed;
    this._older.hidden = this._next === null;
    if (!this._rows.length) {
      fill(this._body, narrowed ? nothingFound() : noCalls());
      this._days = null;
      return;
    }
    this._days ??= new Days();
    this._days.show(this._rows);
    if (this._days.element.parentNode !== this._body) fill(this._body, this._days.element);
  }

  /** @param {unknown} error @param {() => void} again */
  _fail(error, again) {
    if (isAbort(error)) return;
    if (!this._rows.length) fill(this._body);
    fill(this._problem, failed(/** @type {Error} */ (error), again));
  }
}

/** Rows under their days. */
class Days {
  constructor() {
    this.element = el("div", { class: "days" });
    /** @type {Map<string, {section: HTMLElement, table: Table<Row>}>} */
    this._days = new Map();
  }

  /** @param {Row[]} rows */
  show(rows) {
    const grouped = Map.groupBy(rows, (row) => day(row.started_at));
    for (const [name, known] of grouped) {
      if (!this._days.has(name)) this._days.set(name, this._make(name));
      this._days.get(name)?.table.show(known);
    }
    for (const name of this._days.keys()) if (!grouped.has(name)) this._days.delete(name);
    const wanted = [...grouped.keys()].map((name) => /** @type {HTMLElement} */ (this._days.get(name)?.section));
    if (wanted.some((section, at) => section !== this.element.children[at]) || wanted.length !== this.element.children.length) {
      fill(this.element, ...wanted);
    }
  }

  /** @param {string} name */
  _make(name) {
    const table = new Table(`Calls of ${name}`, COLUMNS, (/** @type {Row} */ row) => row.id);
    return { section: el("section", {}, el("h2", { class: "day" }, name), table.element), table };
  }
}

function nothingFound() {
  return empty("No call matches", el("p", {}, "Search for fewer words, or clear the filters."));
}

/** @param {Row} row */
function said(row) {
  const words = row.snippet?.trim() || `(${row.operation})`;
  return el("a", { href: link(["history", row.id]), class: "row-link said" }, words);
}

/** @param {Row} row */
function modelOf(row) {
  return [el("span", { class: "mono breakable" }, row.model), el("span", { class: "beside" }, row.provider)];
}
