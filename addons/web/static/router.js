/**
 * Addresses inside the page: `#/history/ID?model=x` ↔ `{path: ["history", "ID"], query}`. The hash never leaves the
 * browser, links are links, and the back button goes back.
 *
 * @typedef {{path: string[], query: URLSearchParams}} Route
 */

export const HOME = "live";

/** @param {string} hash @returns {Route} */
export function parse(hash) {
  const [path, query] = hash.replace(/^#?\/?/, "").split(/\?(.*)/s);
  const steps = path.split("/").filter(Boolean).map(decoded);
  return { path: steps.length ? steps : [HOME], query: new URLSearchParams(query ?? "") };
}

/**
 * The link to a place.
 *
 * @param {string[]} path
 * @param {Record<string, string>} [query]  empty values are left out
 */
export function link(path, query = {}) {
  const given = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
  const tail = given.toString();
  return `#/${path.map(encodeURIComponent).join("/")}${tail && `?${tail}`}`;
}

/** Change the address without going anywhere: filters, while one types. @param {string} hash */
export function replace(hash) {
  history.replaceState(null, "", hash);
}

/** @param {string} step */
function decoded(step) {
  try {
    return decodeURIComponent(step);
  } catch {
    return step; // somebody typed a lone percent sign
  }
}
