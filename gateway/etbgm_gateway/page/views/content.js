// What the timeline shows, read from a result and its files.

import { get, seconds, urlOf } from "../api.js";
import { hitsOf } from "../edit/hits.js";
import { bare } from "../emotions.js";
import { number, t } from "../text.js";
import { Pyramid } from "../timeline/pyramid.js";

/** The spans of an emotion timeline of the API, as the page has them. */
export function spansOf(timeline) {
  return (timeline?.spans || []).map((one) => ({
    start: seconds(one.span.start),
    end: seconds(one.span.end),
    emotion: bare(one.emotion),
    intensity: one.intensity ?? 0.5,
    probability: one.probability ?? null,
  }));
}

/** Loads what does not depend on the variant: spans, captions, voice. */
export async function spokenContent(result) {
  const [analysis, transcript, captions] = await Promise.all([
    get(urlOf(result.timelineJson)),
    result.transcriptJson ? get(urlOf(result.transcriptJson)) : null,
    result.transcriptVtt ? fetch(urlOf(result.transcriptVtt)).then((answer) => answer.text()) : "",
  ]);
  return {
    durationS: seconds(result.timeline.duration),
    spans: spansOf(result.timeline),
    cues: cuesOf(captions),
    words: wordsOf(transcript),
    hits: hitsOf(result.cuts),
    mood: result.pictureMood || null,
    voice: voiceOf(analysis, result.timeline),
    speech: (result.speechSpans || []).map((span) => ({ start: seconds(span.start), end: seconds(span.end) })),
  };
}

/** The words of a transcript with their times; none if it was made from captions. */
function wordsOf(transcript) {
  const words = (transcript?.segments || []).flatMap((segment) => segment.words || []);
  return words.map(({ span, text }) => ({ start: seconds(span.start), end: seconds(span.end), text }));
}

/** Loads what belongs to one variant: its waveform, its loudness, its sections. */
export async function variantContent(variant) {
  const [levels, waveform] = await Promise.all([
    get(urlOf(variant.levels)),
    variant.waveform ? get(urlOf(variant.waveform)) : null,
  ]);
  const curve = (values) => {
    const known = Float32Array.from(values, (value) => value ?? NaN);
    return new Pyramid(known, known, levels.step_s);
  };
  return {
    loudness: { music: curve(levels.music_lufs), speech: curve(levels.speech_lufs) },
    waveform: waveform && waveformOf(waveform),
    sections: (variant.sections || []).map((one) => ({
      start: seconds(one.span.start),
      end: seconds(one.span.end),
      label: t("section", { key: one.key, tempo: number(one.tempoBpm) }),
    })),
  };
}

/** Version 2 of the data format of audiowaveform: pairs of the least and the greatest sample. */
function waveformOf({ data, bits, samples_per_pixel: samples, sample_rate: rate }) {
  const full = 2 ** (bits - 1);
  const least = data.filter((_, i) => i % 2 === 0).map((value) => value / full);
  const greatest = data.filter((_, i) => i % 2 === 1).map((value) => value / full);
  return new Pyramid(least, greatest, samples / rate);
}

function voiceOf(analysis, timeline) {
  const parts = analysis.phrases?.length ? analysis.phrases : timeline.spans;
  return parts
    .filter((part) => part.arousal !== undefined)
    .map((part) => ({ start: seconds(part.span.start), end: seconds(part.span.end), arousal: part.arousal }));
}

const TIMES = /^(?:(\d+):)?(\d\d):(\d\d\.\d{3}) --> (?:(\d+):)?(\d\d):(\d\d\.\d{3})/;

/** The cues of WebVTT as this server writes it: no settings, no tags. */
export function cuesOf(vtt) {
  const cues = [];
  for (const block of vtt.split(/\n\n+/)) {
    const [first, ...lines] = block.trim().split("\n");
    const found = TIMES.exec(first);
    if (!found) continue;
    const at = (k) => Number(found[k] || 0) * 3600 + Number(found[k + 1]) * 60 + Number(found[k + 2]);
    cues.push({ start: at(1), end: at(4), text: plain(lines.join(" ")) });
  }
  return cues;
}

const plain = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
