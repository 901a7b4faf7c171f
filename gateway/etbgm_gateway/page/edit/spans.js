// Changes of the emotion timeline: each takes the spans and returns new ones that cover the same time.

/** The shortest span that an edit leaves, in seconds. */
export const SHORTEST_S = 0.5;

const replaced = (list, index, ...items) => [...list.slice(0, index), ...items, ...list.slice(index + 1)];

/** Moves the start of a span, and so the end of the one before it, as far as both keep SHORTEST_S. */
export function moveStart(spans, index, s) {
  const [before, span] = [spans[index - 1], spans[index]];
  if (!before || !span) return spans;
  const at = Math.max(before.start + SHORTEST_S, Math.min(span.end - SHORTEST_S, Math.round(s * 100) / 100));
  if (at === span.start || at <= before.start || at >= span.end) return spans;
  return replaced(replaced(spans, index, { ...span, start: at }), index - 1, { ...before, end: at });
}

/** Gives a span another emotion; the confidence was that of the old one. */
export function setEmotion(spans, index, emotion) {
  return replaced(spans, index, { ...spans[index], emotion, probability: null });
}

/** Sets how strongly the music expresses the emotion, [0, 1]. */
export function setIntensity(spans, index, intensity) {
  return replaced(spans, index, { ...spans[index], intensity });
}

/** Sets the music's level in a span: "", "lower", "higher" or "mute". */
export function setMusic(spans, index, music) {
  return replaced(spans, index, { ...spans[index], music });
}

/** Divides a span at a time; unchanged if a part would be too short. */
export function split(spans, index, s) {
  const span = spans[index];
  const at = Math.round(s * 100) / 100;
  if (!span || at - span.start < SHORTEST_S || span.end - at < SHORTEST_S) return spans;
  return replaced(spans, index, { ...span, end: at }, { ...span, start: at });
}

/** Joins a span with the one after it; the longer one's emotion remains. */
export function join(spans, index) {
  const [span, next] = [spans[index], spans[index + 1]];
  if (!span || !next) return spans;
  const kept = next.end - next.start > span.end - span.start ? next : span;
  const joined = { ...kept, start: span.start, end: next.end };
  return [...spans.slice(0, index), joined, ...spans.slice(index + 2)];
}
