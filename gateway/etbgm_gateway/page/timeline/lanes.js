// Draws the rows of the timeline. Each takes the canvas, the scale, its place and what it shows.

import { COLOURS, emotionName } from "../emotions.js";
import { percent, time } from "../text.js";
import { firstAfter, ticks } from "./scale.js";

/** Loudness in LUFS that is drawn at the foot and at the head of a row. */
const FLOOR_LUFS = -50;
const HEAD_LUFS = -5;
/** Of the names on the colours: white where black would have a contrast below 4.5 (WCAG 1.4.3). */
const INKS = { FEAR: "#fff" };

export function ruler({ canvas, scale, ink }, { top, height }) {
  const step = ticks(scale.pixelsPerS);
  canvas.fillStyle = ink.quiet;
  canvas.strokeStyle = ink.line;
  canvas.beginPath();
  for (let s = Math.ceil(scale.startS / step) * step; s <= scale.endS; s += step) {
    const x = Math.round(scale.x(s)) + 0.5;
    canvas.moveTo(x, top + height - 6);
    canvas.lineTo(x, top + height);
    canvas.fillText(time(s, step < 1), x + 4, top + height / 2 - 1);
  }
  canvas.stroke();
}

/** The emotions: colour and name; the lower bar is the confidence. Where there is no room, only the colour. */
export function emotions(pen, { top, height }, spans, selected) {
  const { canvas, scale, ink } = pen;
  for (const i of visible(scale, spans)) {
    const span = spans[i];
    const [x, width] = extent(scale, span);
    canvas.fillStyle = COLOURS[span.emotion];
    canvas.fillRect(x, top, Math.max(1, width - (width > 3)), height);
    if (width > 3) confidence(canvas, span, x, top + height - 4, width - 1);
    if (span.music === "mute") hatch(canvas, x, top, width - 1, height);
    if (width > 14) label(canvas, nameOf(span, width), x + 6, top + height / 2 - 2, width - 12, INKS[span.emotion] || "#14171c");
    if (i === selected) {
      canvas.strokeStyle = ink.focus;
      canvas.lineWidth = 3;
      canvas.strokeRect(x + 1.5, top + 1.5, Math.max(1, width - 4), height - 3);
      canvas.lineWidth = 1;
    }
  }
}

function confidence(canvas, span, x, y, width) {
  if (span.probability === null) return;
  canvas.fillStyle = "#0003";
  canvas.fillRect(x, y, width, 4);
  canvas.fillStyle = "#000a";
  canvas.fillRect(x, y, width * span.probability, 4);
}

function nameOf(span, width) {
  const name = emotionName(span.emotion);
  if (width < 46) return name.slice(0, width < 24 ? 1 : 2);
  return width > 130 && span.probability !== null ? `${name} · ${percent(span.probability)}` : name;
}

/** Mean width of a word, in pixels, from which on there is room for each word at its own time. */
const WORD_PX = 28;

/** Each word at its time where there is room for it, else captions as text, else as bars. */
export function words(view, lane, cues, said) {
  const [first, last] = [firstAfter(said, view.scale.startS), firstAfter(said, view.scale.endS)];
  const isFine = last > first && ((said[last - 1].end - said[first].start) * view.scale.pixelsPerS) / (last - first) >= WORD_PX;
  if (isFine) spoken(view, lane, said);
  else captions(view, lane, cues);
}

/** Words at their times, a line under each for its length. */
function spoken({ canvas, scale, ink }, { top, height }, said) {
  for (const i of visible(scale, said)) {
    const [x, width] = extent(scale, said[i]);
    const next = said[i + 1] ? scale.x(said[i + 1].start) : Infinity;
    canvas.fillStyle = ink.line;
    canvas.fillRect(x, top + height - 4, Math.max(1, width - 2), 2);
    label(canvas, said[i].text, x, top + height / 2, Math.max(width, next - x) - 3, ink.text);
  }
}

function captions({ canvas, scale, ink }, { top, height }, cues) {
  for (const i of visible(scale, cues)) {
    const [x, width] = extent(scale, cues[i]);
    const isText = width >= 30;
    canvas.fillStyle = isText ? ink.sunken : ink.line;
    if (isText) canvas.fillRect(x, top + 2, width - 2, height - 4);
    else canvas.fillRect(x, top + height / 2 - 2, Math.max(1, width - 1), 4);
    if (isText) label(canvas, cues[i].text, x + 5, top + height / 2, width - 10, ink.text);
  }
}

/** The sound's waveform; darker where someone speaks. */
export function waveform({ canvas, scale, ink, width }, { top, height }, pyramid, speech) {
  const middle = top + height / 2;
  let [at, next] = [firstAfter(speech, scale.startS), scale.startS];
  canvas.fillStyle = ink.faint;
  const marks = [];
  pyramid.columns(scale, width, (column, low, high) => {
    next = scale.startS + (column + 0.5) / scale.pixelsPerS;
    while (at < speech.length && speech[at].end <= next) at++;
    const isSpeech = at < speech.length && speech[at].start <= next;
    const y = middle - (high * height) / 2;
    const size = Math.max(1, ((high - low) * height) / 2);
    if (isSpeech) marks.push(column, y, size);
    else canvas.fillRect(column, y, 1, size);
  });
  canvas.fillStyle = ink.speech;
  for (let i = 0; i < marks.length; i += 3) canvas.fillRect(marks[i], marks[i + 1], 1, marks[i + 2]);
}

/** How excited the voice is: bars above the middle for raised, below it for soft. */
export function voice({ canvas, scale, ink, width }, { top, height }, phrases) {
  const middle = top + height / 2;
  canvas.fillStyle = ink.line;
  canvas.fillRect(0, Math.round(middle), width, 1);
  canvas.fillStyle = ink.voice;
  for (const i of visible(scale, phrases)) {
    const [x, size] = extent(scale, phrases[i]);
    const y = middle - (phrases[i].arousal - 0.5) * height;
    canvas.fillRect(x, Math.min(middle, y), Math.max(1, size - 1), Math.max(1, Math.abs(middle - y)));
  }
}

/** Loudness of the music as an area, over that of the speech as a line: how the music makes room. */
export function loudness({ canvas, scale, ink, width }, { top, height }, music, speech) {
  const y = (lufs) => top + height - (Math.max(0, Math.min(1, (lufs - FLOOR_LUFS) / (HEAD_LUFS - FLOOR_LUFS))) * height);
  canvas.fillStyle = ink.faint;
  speech.columns(scale, width, (column, _, high) => canvas.fillRect(column, y(high), 1, top + height - y(high)));
  canvas.fillStyle = ink.music;
  music.columns(scale, width, (column, _, high) => canvas.fillRect(column, y(high), 1, top + height - y(high)));
}

/** The sections of the piece: key and tempo. */
export function sections({ canvas, scale, ink }, { top, height }, list) {
  for (const i of visible(scale, list)) {
    const [x, width] = extent(scale, list[i]);
    canvas.fillStyle = ink.sunken;
    canvas.fillRect(x, top + 1, Math.max(1, width - 2), height - 2);
    label(canvas, list[i].label, x + 6, top + height / 2, width - 12, ink.quiet);
  }
}

/** The indexes of the items that are visible; of several that begin in one pixel, the first. */
function* visible(scale, items) {
  let last = -Infinity;
  for (let i = firstAfter(items, scale.startS); i < items.length && items[i].start < scale.endS; i++) {
    const pixel = Math.floor(scale.x(items[i].start));
    if (pixel === last && scale.x(items[i].end) - pixel < 2) continue;
    last = pixel;
    yield i;
  }
}

/** Left edge and width on the canvas, cut to what is visible so that texts stay in sight. */
function extent(scale, { start, end }) {
  const x = Math.max(-2, scale.x(start));
  return [x, Math.min(scale.width + 2, scale.x(end)) - x];
}

function label(canvas, text, x, y, width, colour) {
  if (width < 8) return;
  canvas.fillStyle = colour;
  canvas.fillText(cut(canvas, text, width), x, y);
}

/** The text, shortened to a width; measured by its mean, because measuring each text is slow. */
function cut(canvas, text, width) {
  canvas.unit ??= canvas.measureText("abcdefghijklmnopqrstuvwxyz").width / 26;
  const isWide = /[\u1100-\uffdc]/.test(text);
  const most = Math.floor(width / (canvas.unit * (isWide ? 1.75 : 0.92)));
  return text.length <= most ? text : most > 2 ? `${text.slice(0, most - 1)}…` : text.slice(0, Math.max(1, most));
}

function hatch(canvas, x, top, width, height) {
  canvas.save();
  canvas.beginPath();
  canvas.rect(x, top, width, height);
  canvas.clip();
  canvas.strokeStyle = "#0007";
  canvas.beginPath();
  for (let at = x - height; at < x + width; at += 7) {
    canvas.moveTo(at, top + height);
    canvas.lineTo(at + height, top);
  }
  canvas.stroke();
  canvas.restore();
}
