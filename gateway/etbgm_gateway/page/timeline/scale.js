// Which part of the video the timeline shows, and where in it a time is.

/** The shortest part that is shown, in seconds. */
const SHORTEST_S = 2;

export class Scale {
  /** @param {number} durationS */
  constructor(durationS) {
    this.durationS = Math.max(durationS, 0.001);
    this.startS = 0;
    this.spanS = this.durationS;
    this.width = 1;
  }

  get endS() {
    return this.startS + this.spanS;
  }

  get pixelsPerS() {
    return this.width / this.spanS;
  }

  x(s) {
    return (s - this.startS) * this.pixelsPerS;
  }

  time(x) {
    return Math.max(0, Math.min(this.durationS, this.startS + x / this.pixelsPerS));
  }

  /** Zooms by a factor (above 1: closer) and leaves the time at `x` where it is. */
  zoom(factor, x = this.width / 2) {
    const at = this.startS + x / this.pixelsPerS;
    const share = x / this.width;
    this.spanS = Math.max(Math.min(SHORTEST_S, this.durationS), Math.min(this.durationS, this.spanS / factor));
    this.#moveTo(at - share * this.spanS);
  }

  pan(s) {
    this.#moveTo(this.startS + s);
  }

  fit() {
    this.spanS = this.durationS;
    this.#moveTo(0);
  }

  /** Moves so that a time is visible; returns whether it has moved. */
  reveal(s) {
    if (s >= this.startS && s <= this.endS) return false;
    this.#moveTo(s - this.spanS * 0.1);
    return true;
  }

  #moveTo(s) {
    this.startS = Math.max(0, Math.min(s, this.durationS - this.spanS));
  }
}

/** The time between two marks of the ruler, at least 80 pixels apart, and that between small ones. */
export function ticks(pixelsPerS) {
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
  return steps.find((step) => step * pixelsPerS >= 80) || 7200;
}

/** The index of the first item that ends after a time; items are ordered and have `end`. */
export function firstAfter(items, s) {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (items[middle].end > s) high = middle;
    else low = middle + 1;
  }
  return low;
}
