/**
 * Builds elements. Whatever comes from outside becomes text: there is no way to pass markup, a style or a script.
 *
 * @typedef {Node | string | number | null | undefined | false} Child  what is nothing is left out
 * @typedef {Record<string, unknown>} Attributes  `onclick` and its like take functions; false and null leave one out
 */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An HTML element.
 *
 * @param {string} tag
 * @param {Attributes} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  return /** @type {HTMLElement} */ (filled(document.createElement(tag), attributes, children));
}

/**
 * An SVG element.
 *
 * @param {string} tag
 * @param {Attributes} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  return /** @type {SVGElement} */ (filled(document.createElementNS(SVG, tag), attributes, children));
}

/** Text that only a screen reader gets. @param {string} text */
export function spoken(text) {
  return el("span", { class: "sr" }, text);
}

/** Puts `children` where others stood. @param {Element} parent @param {...(Child | Child[])} children */
export function fill(parent, ...children) {
  parent.replaceChildren(...nodes(children));
}

/** Tells a screen reader something that happened. @param {string} text */
export function announce(text) {
  const place = document.getElementById("announcer");
  if (place) place.textContent = text;
}

/** @param {Element} element @param {Attributes} attributes @param {(Child | Child[])[]} children */
function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) set(element, name, value);
  element.append(...nodes(children));
  return element;
}

/** @param {Element} element @param {string} name @param {unknown} value */
function set(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (typeof value === "function") {
    element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    return;
  }
  if (name.startsWith("on") || name === "style" || name === "srcdoc") throw new TypeError(`no ${name} as text`);
  if ((name === "href" || name === "src") && !/^(#|\/patchbay\/)/.test(String(value))) {
    throw new TypeError(`a link to elsewhere: ${value}`);
  }
  element.setAttribute(name, value === true ? "" : String(value));
}

/** @param {(Child | Child[])[]} children @returns {(Node | string)[]} */
function nodes(children) {
  const kept = children.flat().filter((child) => child !== null && child !== undefined && child !== false);
  return kept.map((child) => (child instanceof Node ? child : String(child)));
}
