// A curve at several resolutions, so that drawing takes as long for two hours as for a minute.

/** Least and greatest values of groups of 1, 4, 16, … points. */
export class Pyramid {
  /**
   * @param {ArrayLike<number>} least
   * @param {ArrayLike<number>} greatest of the same length; NaN is left out
   * @param {number} stepS time from point to point
   */
  constructor(least, greatest, stepS) {
    this.stepS = stepS;
    this.levels = [{ least: Float32Array.from(least), greatest: Float32Array.from(greatest) }];
    while (this.levels.at(-1).least.length > 512) this.levels.push(coarser(this.levels.at(-1)));
  }

  /** Calls back with the index of each pixel's column in [0, width) and its least and greatest value. */
  columns(scale, width, draw) {
    const perColumn = scale.spanS / width / this.stepS;
    let level = 0;
    while (level + 1 < this.levels.length && 4 ** (level + 1) <= perColumn) level++;
    const { least, greatest } = this.levels[level];
    const stepS = this.stepS * 4 ** level;
    const first = scale.startS / stepS;
    const each = scale.spanS / width / stepS;
    for (let column = 0; column < width; column++) {
      const from = Math.max(0, Math.floor(first + column * each));
      const to = Math.min(least.length, Math.max(from + 1, Math.floor(first + (column + 1) * each)));
      let [low, high] = [Infinity, -Infinity];
      for (let i = from; i < to; i++) {
        if (least[i] < low) low = least[i];
        if (greatest[i] > high) high = greatest[i];
      }
      if (low <= high) draw(column, low, high);
    }
  }
}

function coarser({ least, greatest }) {
  const length = Math.ceil(least.length / 4);
  const next = { least: new Float32Array(length).fill(NaN), greatest: new Float32Array(length).fill(NaN) };
  for (let i = 0; i < least.length; i++) {
    const k = i >> 2;
    if (!(next.least[k] <= least[i])) next.least[k] = Number.isNaN(least[i]) ? next.least[k] : least[i];
    if (!(next.greatest[k] >= greatest[i])) next.greatest[k] = Number.isNaN(greatest[i]) ? next.greatest[k] : greatest[i];
  }
  return next;
}
