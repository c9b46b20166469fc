/** Asks Patchbay's API. What goes wrong comes back as one kind of error whose message says what to do. */

export const ROOT = "/patchbay/api/";

/** The answer was no, or there was none. `status` is 0 where nobody answered. */
export class ApiError extends Error {
  /** @param {string} message @param {number} status */
  constructor(message, status) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }
}

export const GONE = "Patchbay does not answer. Is it still running? The page goes on as soon as it is back.";

/**
 * The JSON of a path below the API, `parameters` that are empty left out.
 *
 * @param {string} path
 * @param {Record<string, string | number | null | undefined>} [parameters]
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 * @throws {ApiError}
 */
export async function ask(path, parameters = {}, signal) {
  const response = await reach(ROOT + path + asQuery(parameters), { signal });
  try {
    return await response.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError("Patchbay's answer broke off. Try again.", response.status);
  }
}

/**
 * A response that is good; everything else is thrown. An abort is thrown as it is.
 *
 * @param {string} url
 * @param {RequestInit} [options]
 * @throws {ApiError}
 */
export async function reach(url, options = {}) {
  let response;
  try {
    response = await fetch(url, { cache: "no-store", ...options });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(GONE, 0);
  }
  if (!response.ok) throw new ApiError(await reason(response), response.status);
  return response;
}

/** @param {Record<string, string | number | null | undefined>} parameters */
export function asQuery(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return query && `?${query}`;
}

/** Whether an error only says that the view was left. @param {unknown} error */
export function isAbort(error) {
  return error instanceof DOMException && error.name === "AbortError";
}

/** What an error answer says, in the shape of our pages or of any dialect. @param {Response} response */
async function reason(response) {
  const text = await response.text().catch(() => "");
  try {
    const { error } = JSON.parse(text);
    const said = typeof error === "string" ? error : error?.message;
    if (typeof said === "string" && said) return said;
  } catch {
    // Not JSON: the status has to do.
  }
  return `Patchbay answered with status ${response.status}. Its log says why.`;
}
