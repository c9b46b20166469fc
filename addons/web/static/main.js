/**
 * The page: five views, one at a time. A view is `{name, title, show}`; `show` fills its place, and stops everything it
 * began when `signal` says that the view was left.
 *
 * @typedef {{place: HTMLElement, route: import("./router.js").Route, signal: AbortSignal,
 *   title: (text: string) => void}} Stage
 * @typedef {{name: string, title: string, show: (stage: Stage) => void | Promise<void>}} View
 */

import { isAbort } from "./api.js";
import { el, fill } from "./dom.js";
import { history } from "./history.js";
import { live } from "./live.js";
import { models } from "./models.js";
import { empty, failed } from "./notice.js";
import { numbers } from "./numbers.js";
import { providers } from "./providers.js";
import { link, parse } from "./router.js";

/** @type {View[]} */
const VIEWS = [live, history, numbers, models, providers];

const main = /** @type {HTMLElement} */ (document.getElementById("main"));
let left = new AbortController();

/** The links of the views, the present one marked. @param {string} name */
function showTabs(name) {
  const tabs = VIEWS.map((view) =>
    el("a", { href: link([view.name]), "aria-current": view.name === name && "page" }, view.title),
  );
  fill(/** @type {Element} */ (document.querySelector("nav.tabs")), ...tabs);
}

/** Leave the view that is shown, and show what the address says. @param {boolean} moved  not at the first time */
async function go(moved) {
  left.abort();
  left = new AbortController();
  const { signal } = left;
  const route = parse(location.hash);
  const view = VIEWS.find((one) => one.name === route.path[0]);
  showTabs(view?.name ?? "");
  const place = el("div", { class: `view ${view?.name ?? ""}` });
  fill(main, place);
  const title = (/** @type {string} */ text) => (document.title = `${text} – Patchbay`);
  title(view?.title ?? "Nothing here");
  if (moved) {
    window.scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
  if (!view) {
    fill(place, empty("There is no such view", el("p", {}, el("a", { href: link(["live"]) }, "Go to Live"))));
    return;
  }
  try {
    await view.show({ place, route, signal, title });
  } catch (error) {
    if (signal.aborted || isAbort(error)) return;
    fill(place, failed(/** @type {Error} */ (error), () => go(false)));
  }
}

// The address after the hash is the view's: this link moves the focus alone.
document.querySelector("a.skip")?.addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
window.addEventListener("hashchange", () => go(true));
go(false);
