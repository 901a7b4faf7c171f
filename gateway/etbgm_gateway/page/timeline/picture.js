// Draws the row of the picture: its motion and light as curves, and its cuts as lines.

/** The strength from which on the composer regards a hit. */
const STRONG = 0.5;
/** Half the width of the mark on a hit that the user has placed. */
const MARK_PX = 4;
/** Share of the row that a hit takes which the user has dropped. */
const DROPPED = 0.4;

/** The curves, and over them the hits, higher for stronger ones; weak and dropped ones are pale and dashed. */
export function picture(pen, row, { mood, hits }, selected) {
  const { canvas, scale, ink } = pen;
  if (mood) {
    canvas.fillStyle = ink.line;
    canvas.fillRect(0, Math.round(row.top + row.height / 2), pen.width, 1);
    curve(pen, row, mood.valence, ink.voice);
    curve(pen, row, mood.arousal, ink.music);
  }
  hits.forEach((hit, i) => {
    const x = scale.x(hit.at);
    if (x >= -MARK_PX && x <= pen.width + MARK_PX) line(canvas, row, Math.round(x) + 0.5, hit, i === selected ? ink.focus : ink.text);
  });
  if (hits[selected]) frame(canvas, row, scale.x(hits[selected].at), ink.focus);
}

/** A value a second in [-1, 1]; where several fall into a pixel, the first of them. */
function curve({ canvas, scale }, { top, height }, values = [], colour) {
  const step = Math.max(1, Math.floor(1 / scale.pixelsPerS));
  const first = Math.max(0, Math.floor(scale.startS / step - 1) * step);
  canvas.strokeStyle = colour;
  canvas.lineWidth = 1.5;
  canvas.beginPath();
  for (let i = first; i < values.length && i - step <= scale.endS; i += step)
    canvas.lineTo(scale.x(i + 0.5), top + height / 2 - (values[i] * (height - 4)) / 2);
  canvas.stroke();
  canvas.lineWidth = 1;
}

function line(canvas, { top, height }, x, hit, colour) {
  const isMarked = hit.strength >= STRONG;
  const size = hit.strength ? Math.max(8, hit.strength * height) : height * DROPPED;
  canvas.save();
  canvas.strokeStyle = canvas.fillStyle = colour;
  canvas.globalAlpha = isMarked ? 1 : 0.45;
  canvas.lineWidth = isMarked ? 2 : 1;
  if (!hit.strength) canvas.setLineDash([2, 2]);
  canvas.beginPath();
  canvas.moveTo(x, top + height - size);
  canvas.lineTo(x, top + height);
  canvas.stroke();
  if (hit.isUser && hit.strength) mark(canvas, x, top + height - size);
  canvas.restore();
}

/** A diamond at the head of a hit that the user has placed. */
function mark(canvas, x, y) {
  canvas.beginPath();
  canvas.moveTo(x, y);
  canvas.lineTo(x + MARK_PX, y + MARK_PX);
  canvas.lineTo(x, y + 2 * MARK_PX);
  canvas.lineTo(x - MARK_PX, y + MARK_PX);
  canvas.fill();
}

function frame(canvas, { top, height }, x, colour) {
  canvas.strokeStyle = colour;
  canvas.lineWidth = 2;
  canvas.strokeRect(x - 6, top + 1, 12, height - 2);
  canvas.lineWidth = 1;
}
