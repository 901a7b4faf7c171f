// What the pointer can take hold of on the timeline: starts of emotions, and hits.

import { firstAfter } from "./scale.js";

const GRIP_PX = 7;

/**
 * What can be gripped at a place of the timeline.
 * @param {Timeline} timeline
 * @returns {{kind: "span" | "hit", index: number} | null}
 */
export function gripAt(timeline, x, y) {
  if (timeline.acts.onMove && timeline.isIn("emotions", y)) return boundaryAt(timeline, x);
  if (timeline.acts.onMoveHit && timeline.isIn("picture", y)) return hitAt(timeline, x);
  return null;
}

function boundaryAt({ content: { spans }, scale }, x) {
  const index = firstAfter(spans, scale.time(x));
  const near = [index, index + 1].filter((i) => i > 0 && i < spans.length);
  const found = near.find((i) => Math.abs(scale.x(spans[i].start) - x) <= GRIP_PX);
  return found === undefined ? null : { kind: "span", index: found };
}

/** The nearest hit; of equally near ones the stronger. */
function hitAt({ content: { hits }, scale }, x) {
  let [index, least] = [-1, GRIP_PX + 1];
  hits.forEach((hit, i) => {
    const away = Math.abs(scale.x(hit.at) - x) - hit.strength;
    if (away < least) [index, least] = [i, away];
  });
  return index < 0 ? null : { kind: "hit", index };
}
