// Edits what the timeline shows: the selected span, the words at the position, the music of the variant.

import { announce, fill, h, icon, set } from "../dom.js";
import { EMOTIONS, emotionName } from "../emotions.js";
import { choice, MUSIC_LU, styleOptions } from "../parts/settings.js";
import { number, time, t } from "../text.js";
import { firstAfter } from "../timeline/scale.js";
import { HitEditor } from "./hiteditor.js";
import { join, moveStart, setEmotion, setIntensity, setMusic, split } from "./spans.js";

export class Editor {
  /**
   * @param {Draft} draft
   * @param {object} capabilities
   * @param {{position: () => number, durationS: number, variant: () => object, onSelectHit: (index: number) => void, remix: () => void}} acts
   */
  constructor(draft, capabilities, acts) {
    Object.assign(this, { draft, capabilities, acts, selected: -1 });
    this.undo = this.#button("undo", () => draft.undo());
    this.redo = this.#button("redo", () => draft.redo());
    this.span = h("div", { class: "inspector" });
    this.hits = new HitEditor(draft, acts);
    this.words = h("div");
    this.music = h("div", { class: "inspector" });
    this.bar = h("div", { class: "remix", hidden: true },
      h("span", {}, t("edit.changed")),
      h("button", { type: "button", onclick: () => draft.discard() }, t("edit.discard")),
      h("button", { type: "button", class: "primary", id: "remix", onclick: acts.remix }, t("edit.remix")));
    this.element = h("div", { class: "editor stack" }, this.span, this.hits.element, this.words, this.music, this.bar);
    this.refresh();
  }

  /** Buttons that stand in the timeline's bar. */
  get tools() {
    return [this.undo, this.redo];
  }

  select(index) {
    this.selected = Math.min(index, this.draft.now.spans.length - 1);
    this.refresh();
  }

  /** Shows the words at the position, unless the user is writing. */
  at(s) {
    const { cues } = this.draft.now;
    const index = firstAfter(cues, s);
    const shown = cues[index]?.start <= s ? index : -1;
    if (shown !== this.cue && !this.words.contains(document.activeElement)) {
      this.cue = shown;
      this.#showWords();
    }
  }

  move(index, s, isDone) {
    this.gesture ??= `move ${performance.now()}`;
    this.draft.change({ spans: moveStart(this.draft.now.spans, index, s) }, this.gesture);
    if (isDone) this.gesture = null;
  }

  refresh() {
    const { draft } = this;
    this.undo.disabled = !draft.past.length;
    this.redo.disabled = !draft.future.length;
    this.bar.hidden = !draft.isChanged;
    this.#showSpan();
    this.hits.refresh();
    this.#showWords();
    this.#showMusic();
  }

  #change(spans) {
    this.draft.change({ spans });
  }

  #showSpan() {
    const { spans } = this.draft.now;
    const [index, span] = [this.selected, spans[this.selected]];
    if (!span) {
      fill(this.span, h("p", { class: "quiet" }, t("edit.choose")));
      return;
    }
    const key = JSON.stringify([index, span, spans.length]);
    if (key === this.shownSpan) return;
    this.shownSpan = key;
    const focus = this.span.contains(document.activeElement) ? document.activeElement.id : "";
    fill(this.span, this.#emotion(index, span), this.#intensity(index, span), this.#edges(index, span, spans), this.#level(index, span),
      h("div", { class: "tools" },
        this.#button("split", () => this.#split(index), true), index + 1 < spans.length && this.#button("join", () => this.#change(join(spans, index)), true)));
    if (focus) document.getElementById(focus)?.focus();
  }

  #emotion(index, span) {
    const input = h("select", { id: "edit-emotion", onchange: () => this.#change(setEmotion(this.draft.now.spans, index, input.value)) },
      EMOTIONS.map((one) => h("option", { value: one }, emotionName(one))));
    input.value = span.emotion;
    return field("edit.emotion", input);
  }

  #intensity(index, span) {
    const input = h("input", { id: "edit-intensity", type: "range", min: 0, max: 1, step: 0.05, value: span.intensity,
      onchange: () => this.#change(setIntensity(this.draft.now.spans, index, Number(input.value))) });
    set(input, { "aria-valuetext": number(span.intensity * 100) });
    return field("edit.intensity", input);
  }

  #edges(index, span, spans) {
    const edge = (name, at, value) => {
      const input = h("input", { id: `edit-${name}`, type: "number", step: 0.1, min: 0, value: Math.round(value * 100) / 100, disabled: at < 1 || at >= spans.length,
        onchange: () => this.#change(moveStart(this.draft.now.spans, at, Number(input.value))) });
      return field(`edit.${name}`, input);
    };
    return [edge("start", index, span.start), edge("end", index + 1, span.end)];
  }

  #level(index, span) {
    const options = ["", "lower", "higher", "mute"].map((one) => h("option", { value: one }, t(`edit.music.${one || "same"}`)));
    const input = h("select", { id: "edit-level", onchange: () => this.#change(setMusic(this.draft.now.spans, index, input.value)) }, options);
    input.value = span.music || "";
    return field("edit.music", input);
  }

  #split(index) {
    const spans = split(this.draft.now.spans, index, this.acts.position());
    if (spans === this.draft.now.spans) announce(t("edit.split.where"));
    this.#change(spans);
  }

  #showWords() {
    const { cues } = this.draft.now;
    const cue = cues[this.cue];
    if (!cue) {
      fill(this.words);
      return;
    }
    const old = this.words.querySelector("input");
    if (old?.value === cue.text && old.dataset.cue === String(this.cue)) return;
    const input = h("input", { id: "edit-words", type: "text", value: cue.text, "data-cue": this.cue, maxlength: 500,
      onchange: () => this.#write(Number(input.dataset.cue), input.value.trim()) });
    fill(this.words, field("edit.words", input, { time: time(cue.start) }));
  }

  #write(index, text) {
    const cues = text
      ? this.draft.now.cues.map((cue, i) => (i === index ? { ...cue, text } : cue))
      : this.draft.now.cues.filter((_, i) => i !== index);
    this.draft.change({ cues });
  }

  #showMusic() {
    const variant = this.acts.variant();
    const { music, variants } = this.draft.now;
    const own = variants[variant.number] || {};
    const key = JSON.stringify([variant.number, music, own]);
    if (key === this.shownMusic) return;
    this.shownMusic = key;
    const level = choice("music", Object.keys(MUSIC_LU), music, (value) => this.draft.change({ music: value }));
    const style = h("select", { id: "edit-style", onchange: () => this.#vary(variant, { style: style.value }) },
      styleOptions(this.capabilities).filter(([value]) => value !== "auto").map(([value, text]) => h("option", { value }, text)));
    style.value = own.style || variant.style;
    const again = h("button", { type: "button", id: "edit-seed", "aria-pressed": own.randomSeed ? "true" : "false",
      onclick: () => this.#vary(variant, { randomSeed: String(Math.floor(Math.random() * 2 ** 52)) }) }, t("edit.seed"));
    fill(this.music, level.element, field("edit.style", style, { number: variant.number }), again);
  }

  #vary(variant, settings) {
    const { variants } = this.draft.now;
    this.draft.change({ variants: { ...variants, [variant.number]: { ...variants[variant.number], ...settings } } });
  }

  #button(name, act, isNamed = false) {
    return h("button", { type: "button", id: `edit-${name}`, class: isNamed ? "" : "plain", "aria-label": isNamed ? null : t(`edit.${name}`),
      title: isNamed ? null : t(`edit.${name}`), onclick: act }, icon(name), isNamed ? t(`edit.${name}`) : null);
  }
}

function field(name, input, values) {
  return h("div", { class: "field" }, h("label", { for: input.id }, t(name, values)), input);
}
