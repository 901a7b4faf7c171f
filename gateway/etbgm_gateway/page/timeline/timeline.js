// The timeline to scale: what is said, with which emotion, how loud the music is; the position; seeking, zooming and
// editing of boundaries.

import { fill, h, icon, set } from "../dom.js";
import { time, t } from "../text.js";
import { gripAt } from "./grips.js";
import * as lanes from "./lanes.js";
import { picture } from "./picture.js";
import { firstAfter, Scale } from "./scale.js";

const GAP = 4;
/** A press on a hit becomes a move from this distance on. */
const STEADY_PX = 3;
const HEIGHTS = { ruler: 20, emotions: 44, words: 26, picture: 54, waveform: 54, voice: 30, loudness: 54, sections: 24 };

export class Timeline {
  /**
   * @param {object} content see `contentOf` in views/content.js
   * @param {object} acts onSeek(s), onSelect(index), and for editors onMove(index, s, isDone), onSelectHit(index),
   *   onMoveHit(index, s, isDone), onAddHit(), onDropHit()
   */
  constructor(content, acts) {
    this.content = content;
    this.acts = acts;
    this.scale = new Scale(content.durationS);
    this.selected = this.selectedHit = -1;
    this.position = 0;
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.head = h("div", { class: "head" });
    this.board = h("div", {
      class: "board", role: "slider", tabindex: 0, "aria-label": t("timeline"), "aria-valuemin": 0,
      "aria-valuemax": Math.round(content.durationS), "aria-describedby": "timeline-keys",
    }, this.canvas, this.head);
    this.names = h("div", { class: "lanes", "aria-hidden": "true" });
    this.element = h("section", { class: "card timeline", "aria-label": t("timeline") },
      this.#bar(), h("div", { class: "plot" }, this.names, this.board),
      h("p", { id: "timeline-keys", class: "quiet small" }, t("timeline.keys")));
    this.#listen();
    this.#layOut();
    new ResizeObserver(() => this.#resize()).observe(this.board);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => ((this.ink = null), this.redraw()));
  }

  /** Shows other content at the same scale. */
  show(content) {
    this.content = content;
    this.#layOut();
    this.redraw();
  }

  select(index) {
    this.selected = index;
    this.redraw();
  }

  selectHit(index) {
    this.selectedHit = index;
    this.redraw();
  }

  /** Moves the position; follows it when it leaves what is shown while playing. */
  at(s, isPlaying = false) {
    this.position = s;
    if (isPlaying && this.scale.reveal(s)) this.redraw();
    this.#moveHead();
    const whole = Math.round(s);
    if (whole !== this.spoken) set(this.board, { "aria-valuenow": (this.spoken = whole), "aria-valuetext": this.#words(s) });
  }

  zoom(factor, x = this.#headInView()) {
    this.scale.zoom(factor, x);
    this.redraw();
  }

  redraw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.#draw();
    });
  }

  #bar() {
    const button = (name, act) => h("button", { type: "button", class: "plain", "aria-label": t(`timeline.${name}`), title: t(`timeline.${name}`), onclick: act }, icon(name));
    this.tools = h("div", { class: "tools" });
    return h("div", { class: "row" }, h("h2", {}, t("timeline.title")), this.tools,
      h("div", { class: "tools end" }, button("minus", () => this.zoom(1 / 1.6)), button("plus", () => this.zoom(1.6)),
        button("fit", () => (this.scale.fit(), this.redraw()))));
  }

  #layOut() {
    const shown = Object.keys(HEIGHTS).filter((name) => name === "ruler" || this.#has(name));
    let top = 0;
    this.rows = new Map();
    for (const name of shown) {
      this.rows.set(name, { top, height: HEIGHTS[name] });
      top += HEIGHTS[name] + GAP;
    }
    this.height = top;
    this.board.style.height = `${top}px`;
    const label = (name) => {
      const curves = name === "picture" && this.content.mood ? ["motion", "light"] : [];
      const element = h("span", {}, name === "ruler" ? "" : t(`lane.${name}`),
        curves.map((curve) => h("small", { class: curve }, t(`lane.${curve}`))));
      element.style.height = `${HEIGHTS[name]}px`;
      return element;
    };
    fill(this.names, shown.map(label));
  }

  #has(name) {
    if (name === "picture") return Boolean(this.content.mood || this.content.hits.length);
    const parts = { emotions: "spans", words: "cues", voice: "voice", sections: "sections" };
    return name in parts ? this.content[parts[name]].length > 0 : Boolean(this.content[name]);
  }

  #words(s) {
    const span = this.content.spans[Math.min(firstAfter(this.content.spans, s), this.content.spans.length - 1)];
    return span ? t("timeline.at", { time: time(s), emotion: t(`emotion.${span.emotion}`) }) : time(s);
  }

  #resize() {
    const { clientWidth } = this.board;
    if (!clientWidth) return;
    const ratio = Math.min(2, devicePixelRatio || 1);
    this.scale.width = clientWidth;
    this.canvas.width = Math.round(clientWidth * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.ratio = ratio;
    this.#draw();
  }

  #draw() {
    const canvas = this.canvas.getContext("2d");
    if (this.canvas.height !== Math.round(this.height * this.ratio)) return this.#resize();
    const content = this.content;
    this.ink ??= inkOf(this.board);
    const pen = { canvas, scale: this.scale, ink: this.ink, width: Math.ceil(this.scale.width) };
    canvas.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    canvas.clearRect(0, 0, pen.width, this.height);
    canvas.font = this.ink.font;
    canvas.textBaseline = "middle";
    const drawing = {
      ruler: (row) => lanes.ruler(pen, row),
      emotions: (row) => lanes.emotions(pen, row, content.spans, this.selected),
      words: (row) => lanes.words(pen, row, content.cues, content.words),
      picture: (row) => picture(pen, row, content, this.selectedHit),
      waveform: (row) => lanes.waveform(pen, row, content.waveform, content.speech),
      voice: (row) => lanes.voice(pen, row, content.voice),
      loudness: (row) => lanes.loudness(pen, row, content.loudness.music, content.loudness.speech),
      sections: (row) => lanes.sections(pen, row, content.sections),
    };
    for (const [name, row] of this.rows) drawing[name](row);
    this.#moveHead();
    return undefined;
  }

  #moveHead() {
    const x = this.scale.x(this.position);
    this.head.style.transform = `translateX(${x}px)`;
    this.head.hidden = x < 0 || x > this.scale.width;
  }

  #headInView() {
    const x = this.scale.x(this.position);
    return x >= 0 && x <= this.scale.width ? x : undefined;
  }

  #listen() {
    const at = (event) => {
      const box = this.board.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };
    this.board.addEventListener("pointerdown", (event) => this.#press(event, at(event)));
    this.board.addEventListener("pointermove", (event) => this.#move(at(event)));
    for (const kind of ["pointerup", "pointercancel"]) this.board.addEventListener(kind, () => this.#release());
    this.board.addEventListener("wheel", (event) => this.#wheel(event, at(event)), { passive: false });
    this.board.addEventListener("keydown", (event) => this.#key(event));
  }

  #press(event, { x, y }) {
    if (event.button) return;
    this.board.setPointerCapture(event.pointerId);
    const grip = gripAt(this, x, y);
    if (grip) {
      this.drag = { grip, fromX: x };
      if (grip.kind === "hit") this.acts.onSelectHit(grip.index);
      return;
    }
    if (this.isIn("emotions", y)) this.acts.onSelect(firstAfter(this.content.spans, this.scale.time(x)));
    this.drag = {};
    this.acts.onSeek(this.scale.time(x));
  }

  #move({ x, y }) {
    if (!this.drag) {
      this.board.classList.toggle("grips", Boolean(gripAt(this, x, y)));
      return;
    }
    const s = this.scale.time(x);
    const { grip, fromX, at } = this.drag;
    if (!grip) this.acts.onSeek(s);
    else if (at !== undefined || Math.abs(x - fromX) > STEADY_PX) this.#pull(grip, (this.drag.at = s), false);
  }

  #pull({ kind, index }, s, isDone) {
    if (kind === "hit") this.acts.onMoveHit(index, s, isDone);
    else this.acts.onMove(index, s, isDone);
  }

  #release() {
    const drag = this.drag;
    this.drag = null;
    if (drag?.at !== undefined) this.#pull(drag.grip, drag.at, true);
  }

  #wheel(event, { x }) {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY * 0.005), x);
      return;
    }
    const across = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (!across) return;
    event.preventDefault();
    this.scale.pan(across / this.scale.pixelsPerS);
    this.redraw();
  }

  #key(event) {
    const acts = {
      "+": () => this.zoom(1.6),
      "=": () => this.zoom(1.6),
      "-": () => this.zoom(1 / 1.6),
      "[": () => this.#step(-1),
      "]": () => this.#step(1),
      ...(this.acts.onMoveHit && this.#hitKeys()),
      Home: () => this.acts.onSeek(0),
      End: () => this.acts.onSeek(this.content.durationS),
    };
    if (!(event.key in acts) || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    acts[event.key]();
  }

  #hitKeys() {
    const drop = () => this.acts.onDropHit();
    return { ",": () => this.#stepHit(-1), ".": () => this.#stepHit(1), m: () => this.acts.onAddHit(), Delete: drop, Backspace: drop };
  }

  /** Selects the hit before or after the position, and goes there. */
  #stepHit(by) {
    const { hits } = this.content;
    const isBeyond = (hit) => (hit.at - this.position) * by > 0.005;
    const index = by > 0 ? hits.findIndex(isBeyond) : hits.findLastIndex(isBeyond);
    if (index < 0) return;
    this.acts.onSelectHit(index);
    this.acts.onSeek(hits[index].at);
    if (this.scale.reveal(hits[index].at)) this.redraw();
  }

  /** Selects the span before or after, and goes there. */
  #step(by) {
    const { spans } = this.content;
    const now = this.selected >= 0 ? this.selected + by : firstAfter(spans, this.position);
    const index = Math.max(0, Math.min(spans.length - 1, now));
    this.acts.onSelect(index);
    this.acts.onSeek(spans[index].start);
    if (this.scale.reveal(spans[index].start)) this.redraw();
  }

  isIn(name, y) {
    const row = this.rows.get(name);
    return Boolean(row) && y >= row.top && y < row.top + row.height;
  }
}

/** The colours and the font, as the style sheet resolves them for light or dark. */
function inkOf(element) {
  const probe = element.appendChild(h("span", { hidden: true }));
  const style = getComputedStyle(probe);
  const colour = (name) => {
    probe.style.color = `var(--${name})`;
    return style.color;
  };
  const names = ["text", "quiet", "line", "faint", "sunken", "speech", "music", "voice", "focus"];
  const ink = { ...Object.fromEntries(names.map((name) => [name, colour(name)])), font: `12px ${style.fontFamily}` };
  probe.remove();
  return ink;
}
