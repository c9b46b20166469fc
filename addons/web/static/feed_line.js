/** One line that says how the live feed is. It speaks only when the feed is lost and when it is back. */

import { announce, el, fill } from "./dom.js";

const WORDS = { connecting: "connecting …", live: "live", away: "reconnecting …", hidden: "paused while hidden" };
const MARKS = { connecting: "○", live: "●", away: "○", hidden: "–" };

export class FeedLine {
  constructor() {
    this._state = "";
    this._why = "";
    this.element = el("p", { class: "feed" });
  }

  /** @param {import("./feed.js").FeedState} state @param {string} why */
  show(state, why) {
    // Each try says "connecting": while the feed is away that is no news.
    if (state === "connecting" && this._state === "away") return;
    if (state === this._state && why === this._why) return;
    if (state === "away" && this._state !== "away") announce(`Live feed lost. ${why}`);
    if (state === "live" && this._state === "away") announce("Live feed is back.");
    [this._state, this._why] = [state, why];
    this.element.className = `feed ${state}`;
    const mark = el("span", { class: "mark", "aria-hidden": "true" }, MARKS[state]);
    fill(this.element, mark, WORDS[state], why && el("span", { class: "why" }, ` ${why}`));
  }
}
