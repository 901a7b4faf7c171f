// Makes elements. No text ever becomes markup, so Trusted Types need no policy.

/**
 * Returns an element with attributes, listeners ("onclick") and children; null children are left out.
 * @param {string} name
 * @param {Object<string, any>} [attributes] null and false are left out, true is an empty attribute
 * @param {...(Node | string | null | undefined | false | Array<any>)} children
 * @returns {any}
 */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  set(element, attributes);
  element.append(...children.flat(9).filter((child) => child != null && child !== false));
  return element;
}

/** Sets attributes and listeners of an element. */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") element[name] = value;
    else if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  return element;
}

/** Replaces the children of an element. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(9).filter((child) => child != null && child !== false));
  return element;
}

const SHAPES = {
  play: "M8 5v14l11-7z",
  pause: "M7 5h4v14H7zM13 5h4v14h-4z",
  upload: "M12 16V5M7 10l5-5 5 5M5 19h14",
  download: "M12 5v11M7 11l5 5 5-5M5 20h14",
  undo: "M9 7L5 11l4 4M5 11h9a5 5 0 010 10h-3",
  redo: "M15 7l4 4-4 4M19 11h-9a5 5 0 000 10h3",
  check: "M5 12l5 5 9-10",
  close: "M6 6l12 12M18 6L6 18",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  split: "M12 4v16M8 8l-4 4 4 4M16 8l4 4-4 4",
  join: "M4 12h6M20 12h-6M7 9l3 3-3 3M17 9l-3 3 3 3",
  fit: "M4 6v12M20 6v12M8 12h8",
};
const FILLED = new Set(["play", "pause"]);
const SVG = "http://www.w3.org/2000/svg";

/** Returns a picture for a button that has a text or label of its own. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", "aria-hidden": "true", class: "icon" }))
    svg.setAttribute(key, value);
  path.setAttribute("d", SHAPES[name]);
  if (FILLED.has(name)) path.setAttribute("class", "filled");
  svg.append(path);
  return svg;
}

/** Says something to screen readers, without moving the focus. */
export function announce(text) {
  document.getElementById("status").textContent = text;
}
