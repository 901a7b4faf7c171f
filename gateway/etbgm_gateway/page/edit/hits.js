// Changes of the hits, the cuts that the music is to mark: each takes them and returns new ones, in order of time.

import { duration, seconds } from "../api.js";

/** The least time between two hits that an edit leaves, and from the ends of the video, in seconds. */
export const APART_S = 0.1;

const fine = (s) => Math.round(s * 100) / 100;

/** The hits of a result; `time` is how the API writes one that is not moved. */
export function hitsOf(cuts = []) {
  return cuts.map(({ time, strength = 1, kind, origin }) => ({
    at: seconds(time), time, strength, kind, isUser: origin === "CUT_ORIGIN_USER",
  }));
}

/** The list of cuts of the API. */
export function cutsOf(hits) {
  return { cuts: hits.map(({ at, time, strength, kind }) => ({ time: time ?? duration(at), strength, kind })) };
}

/** Moves a hit as far as the hits beside it leave room. */
export function moveHit(hits, index, s, durationS) {
  const least = (hits[index - 1]?.at ?? 0) + APART_S;
  const most = (hits[index + 1]?.at ?? durationS) - APART_S;
  const at = Math.max(least, Math.min(most, fine(s)));
  if (least > most || at === hits[index].at) return hits;
  return hits.with(index, { ...hits[index], at, time: undefined, isUser: true });
}

/** Sets how much a hit is to be heard, [0, 1]; 0 drops it. */
export function setStrength(hits, index, strength) {
  return hits.with(index, { ...hits[index], strength, isUser: true });
}

/** Drops a hit: a cut of the picture stays visible, one that the user has placed is gone. */
export function dropHit(hits, index) {
  return hits[index].isUser ? hits.toSpliced(index, 1) : setStrength(hits, index, 0);
}

/** Adds a hit; unchanged if there is one already, or an end of the video. */
export function addHit(hits, s, durationS) {
  const at = fine(s);
  const isTaken = [0, durationS, ...hits.map((hit) => hit.at)].some((other) => Math.abs(other - at) < APART_S);
  if (isTaken) return hits;
  return hits.toSpliced(indexAt(hits, at), 0, { at, strength: 1, kind: "CUT_KIND_HARD", isUser: true });
}

/** The index of the first hit at or after a time. */
export function indexAt(hits, s) {
  const index = hits.findIndex((hit) => hit.at >= s);
  return index < 0 ? hits.length : index;
}
