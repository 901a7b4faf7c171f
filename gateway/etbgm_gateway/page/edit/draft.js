// The user's changes to a result that are not remixed yet: undo, redo, kept over a reload and shared by tabs.

import { duration, seconds } from "../api.js";
import { MUSIC_LU } from "../parts/settings.js";
import { cutsOf } from "./hits.js";

const MOST_STEPS = 200;

/** Changes of the music's level in a span, in dB. */
export const MUSIC_DB = { lower: -6, higher: 6, mute: -60 };

export class Draft {
  /**
   * @param {string} jobId
   * @param {{spans: object[], cues: object[], hits: object[], marking: string, music: string, variants: Object<number, object>}} original
   * @param {() => void} onChange
   */
  constructor(jobId, original, onChange) {
    this.original = original;
    this.onChange = onChange;
    this.place = `etbgm.draft.${jobId}`;
    this.past = [];
    this.future = [];
    this.now = this.#stored() || original;
    this.listener = (event) => event.key === this.place && this.#adopt();
    window.addEventListener("storage", this.listener);
  }

  close() {
    window.removeEventListener("storage", this.listener);
  }

  /** Changes parts of the state. Steps of one gesture, such as a drag, count as one. */
  change(parts, gesture = null) {
    const next = { ...this.now, ...parts };
    if (Object.keys(parts).every((name) => next[name] === this.now[name])) return;
    if (!gesture || gesture !== this.gesture) {
      this.past.push(this.now);
      if (this.past.length > MOST_STEPS) this.past.shift();
    }
    this.gesture = gesture;
    this.future = [];
    this.#become(next);
  }

  undo() {
    this.#step(this.past, this.future);
  }

  redo() {
    this.#step(this.future, this.past);
  }

  discard() {
    if (this.isChanged) this.change(this.original);
  }

  get isChanged() {
    return JSON.stringify(this.now) !== JSON.stringify(this.original);
  }

  /** Whether a part of the state, or what `part` takes from it, differs from the original. */
  isOther(name, part = (value) => value) {
    return JSON.stringify(part(this.now[name])) !== JSON.stringify(part(this.original[name]));
  }

  /**
   * The RemixJobRequest that makes of the parent what the user wants: only what differs, named by the mask.
   * @param {number} durationS
   * @param {object[]} own the variant settings of the parent
   */
  request(durationS, own = []) {
    const { spans, cues, hits, marking, music, variants } = this.now;
    const changes = {
      timeline: this.isOther("spans", timelineOf) && { duration: duration(durationS), spans: timelineOf(spans) },
      "mix.musicLevels": this.isOther("spans", levelsOf) && levelsOf(spans),
      "mix.speechToMusicLu": this.isOther("music") && MUSIC_LU[music],
      cuts: this.isOther("hits") && cutsOf(hits),
      hits: this.isOther("marking") && `HITS_${marking}`,
      variantSettings: this.isOther("variants") && merged(own, variants),
    };
    const settings = {};
    const paths = Object.keys(changes).filter((path) => changes[path] !== false);
    for (const path of paths) {
      const [name, part] = path.split(".");
      if (part) (settings[name] ??= {})[part] = changes[path];
      else settings[name] = changes[path];
    }
    const transcript = this.isOther("cues") ? { transcript: { segments: cues.map(segmentOf) } } : {};
    return { settings, updateMask: paths.join(","), ...transcript };
  }

  /** Forgets the changes once they are a job. */
  forget() {
    localStorage.removeItem(this.place);
  }

  #step(from, to) {
    if (!from.length) return;
    to.push(this.now);
    this.gesture = null;
    this.#become(from.pop());
  }

  #become(state) {
    this.now = state;
    if (this.isChanged) localStorage.setItem(this.place, JSON.stringify(state));
    else this.forget();
    this.onChange();
  }

  #adopt() {
    this.now = this.#stored() || this.original;
    this.past = [];
    this.future = [];
    this.onChange();
  }

  #stored() {
    try {
      const stored = JSON.parse(localStorage.getItem(this.place));
      return stored && { ...this.original, ...stored };
    } catch {
      return null;
    }
  }
}

/** The emotion timeline of the API; adjacent spans of which only the music differs stay apart. */
const timelineOf = (spans) =>
  spans.map(({ start, end, emotion, intensity, probability }) => ({
    span: { start: duration(start), end: duration(end) },
    emotion: `EMOTION_${emotion}`,
    intensity,
    ...(probability === null ? {} : { probability }),
  }));

const levelsOf = (spans) =>
  spans
    .filter((span) => span.music)
    .map(({ start, end, music }) => ({ span: { start: duration(start), end: duration(end) }, gainDb: MUSIC_DB[music] }));

/** The settings of single variants, those of the parent with the changes. */
function merged(own, changes) {
  const all = new Map(own.map((one) => [one.number, one]));
  for (const [number, one] of Object.entries(changes)) all.set(Number(number), { ...all.get(Number(number)), number: Number(number), ...one });
  return [...all.values()].sort((one, other) => one.number - other.number);
}

/** Notes in spans the music's level that the parent was made with. */
export function withLevels(spans, levels) {
  const nameOf = (gainDb) => Object.keys(MUSIC_DB).find((name) => MUSIC_DB[name] === gainDb) || "";
  const middle = (span) => (span.start + span.end) / 2;
  return spans.map((span) => {
    const level = levels.find((one) => seconds(one.span.start) <= middle(span) && middle(span) < seconds(one.span.end));
    return level ? { ...span, music: nameOf(level.gainDb) } : span;
  });
}

const segmentOf = ({ start, end, text }) => ({ span: { start: duration(start), end: duration(end) }, text, confidence: 1 });

/** The name of a level of the music, "medium" for others. */
export function levelOf(speechToMusicLu) {
  return Object.keys(MUSIC_LU).find((name) => MUSIC_LU[name] === speechToMusicLu) || "medium";
}

