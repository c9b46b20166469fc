/**
 * Tables whose rows are updated in place, so that neither focus nor a selection is lost when numbers move.
 *
 * On a narrow screen a row becomes a card: the roles are said explicitly, because a changed `display` would take them
 * away from a screen reader, and each cell knows its column's name.
 *
 * @template R
 * @typedef {{name: string, cell: (row: R) => import("./dom.js").Child | import("./dom.js").Child[],
 *   key?: (row: R) => unknown, kind?: string}} Column  `key`: a cell is made anew only when it changes; `kind`: a class
 */

import { el, fill } from "./dom.js";

/** @template R */
export class Table {
  /**
   * @param {string} label  what the table holds, for a screen reader
   * @param {Column<R>[]} columns
   * @param {(row: R) => string} id
   * @param {(row: R) => string} [look]  a class of the row
   */
  constructor(label, columns, id, look = () => "") {
    this._columns = columns;
    this._id = id;
    this._look = look;
    /** @type {Map<string, {tr: HTMLElement, cells: HTMLElement[], keys: unknown[]}>} */
    this._rows = new Map();
    this._body = el("tbody", { role: "rowgroup" });
    const heads = columns.map((c) => el("th", { role: "columnheader", scope: "col", class: c.kind }, c.name));
    this.element = el(
      "table",
      { class: "rows", role: "table", "aria-label": label },
      el("colgroup", {}, columns.map((c) => el("col", { class: c.kind }))),
      el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, heads)),
      this._body,
    );
  }

  /** Show exactly these, in this order. @param {R[]} rows */
  show(rows) {
    const wanted = new Set(rows.map(this._id));
    for (const [id, { tr }] of this._rows) {
      if (wanted.has(id)) continue;
      tr.remove();
      this._rows.delete(id);
    }
    /** @type {Element | null} */
    let before = this._body.firstElementChild;
    for (const row of rows) {
      const tr = this.update(row);
      if (tr === before) before = before.nextElementSibling;
      else this._body.insertBefore(tr, before);
    }
  }

  /** Bring one row up to date; it is made, but not placed, when it is new. @param {R} row */
  update(row) {
    const known = this._rows.get(this._id(row)) ?? this._make(row);
    known.tr.className = this._look(row);
    this._columns.forEach((column, at) => {
      const key = column.key ? column.key(row) : JSON.stringify(row);
      if (known.keys[at] === key) return;
      known.keys[at] = key;
      fill(known.cells[at], column.cell(row));
    });
    return known.tr;
  }

  /** @param {R} row */
  _make(row) {
    const cells = this._columns.map((c) => el("td", { role: "cell", class: c.kind, "data-name": c.name }));
    const made = { tr: el("tr", { role: "row" }, cells), cells, keys: [] };
    this._rows.set(this._id(row), made);
    return made;
  }
}
