// A finished job: hear the variants, see why they sound as they do, take them away.

import { get, post, seconds, urlOf } from "../api.js";
import { fill, h } from "../dom.js";
import { styleName, t } from "../text.js";
import { Player } from "../parts/player.js";
import { Draft, levelOf, withLevels } from "../edit/draft.js";
import { Editor } from "../edit/editor.js";
import { markingOf } from "../edit/hiteditor.js";
import { downloads } from "../parts/downloads.js";
import { licence } from "../parts/licence.js";
import { sharing } from "../parts/sharing.js";
import { trouble } from "../parts/trouble.js";
import { integratedLoudness, LONGEST_S } from "../sound/loudness.js";
import { Timeline } from "../timeline/timeline.js";
import { spokenContent, variantContent } from "./content.js";

/** Originals above this size are not loaded to measure their loudness. */
const MEASURED_BYTES = 128 << 20;
/** The original is raised at most by this, because peaks would clip. */
const MOST_DB = 12;

export class Result {
  /** @param {Player | null} player one that already plays the previews */
  constructor(context, job, player) {
    this.context = context;
    this.job = job;
    this.variants = job.result.variants;
    this.player = player || new Player(job.video, () => {});
    this.player.onTime = (s) => this.#at(s);
    this.player.alsoAt(urlOf(this.variants[0].video));
    this.player.alsoAt(urlOf(this.variants[0].preview || this.variants[0].video));
    this.plot = h("div");
    this.out = h("div", { class: "columns" });
    this.element = h("div", { class: "result stack" }, this.player.element, this.plot, this.#notes(), this.out);
    this.keys = (event) => this.#key(event);
    document.addEventListener("keydown", this.keys);
  }

  async load() {
    this.player.onSelect = (id) => this.#selected(id);
    const before = sessionStorage.getItem(`etbgm.track.${this.job.jobId}`);
    this.player.offer(this.#tracks(), before || `variant-${this.job.selectedVariant || 1}`);
    this.#restorePosition();
    this.files = downloads(this.job, () => this.variant);
    fill(this.out, this.files, licence(this.job), this.context.isShared ? null : sharing(this.job));
    this.spoken = await spokenContent(this.job.result);
    if (!this.context.isShared) this.#openEditor();
    await this.#showVariant();
    if (!this.context.isShared) this.#findParent();
    this.#matchOriginal();
  }

  #openEditor() {
    const { cues, hits } = this.spoken;
    const spans = withLevels(this.spoken.spans, this.job.settings.mix?.musicLevels || []);
    const music = levelOf(this.job.settings.mix?.speechToMusicLu);
    const marking = markingOf(this.job.settings.hits);
    this.draft = new Draft(this.job.jobId, { spans, cues, hits, marking, music, variants: {} }, () => this.#edited());
    this.editor = new Editor(this.draft, this.context.capabilities, {
      position: () => this.player.position,
      durationS: this.spoken.durationS,
      onSelectHit: (index) => this.#selectHit(index),
      variant: () => this.variant,
      remix: () => this.#remix(),
    });
  }

  async #remix() {
    try {
      const made = await post(`/v1/jobs/${this.job.jobId}:remix`, this.draft.request(this.spoken.durationS, this.job.settings.variantSettings));
      this.draft.forget();
      this.context.go(`#/jobs/${made.job.jobId}`);
    } catch (error) {
      fill(this.problem, trouble(error));
    }
  }

  #edited() {
    this.editor.refresh();
    this.#showContent();
  }

  /** The result that this one is a remix of, to compare both. */
  async #findParent() {
    if (!this.job.parentJobId) return;
    const parent = (await get(`/v1/jobs/${this.job.parentJobId}`).catch(() => null))?.job;
    this.old = parent?.result?.variants;
    this.player.offer(this.#tracks());
  }

  close() {
    document.removeEventListener("keydown", this.keys);
    this.draft?.close();
    this.player.close();
  }

  /** The variant that is heard, or was heard before the original. */
  get variant() {
    return this.variants.find((one) => `variant-${one.number}` === this.heard) || this.variants[0];
  }

  #tracks() {
    const tracks = this.variants.map((one) => {
      const audio = one.preview || one.video;
      return { id: `variant-${one.number}`, label: t("variant", { number: one.number }), hint: styleName(one.style), url: urlOf(audio), sizeBytes: Number(audio.sizeBytes) };
    });
    const original = { id: "original", label: t("original"), hint: this.matched || t("original.hint"), url: urlOf(this.job.video), gainDb: this.gainDb || 0 };
    const old = this.old?.find((one) => one.number === this.variant.number)?.preview;
    const before = old && { id: "old", label: t("old"), hint: t("variant", { number: this.variant.number }), url: urlOf(old), sizeBytes: Number(old.sizeBytes) };
    return [...tracks, ...(before ? [before] : []), original];
  }

  #selected(id) {
    sessionStorage.setItem(`etbgm.track.${this.job.jobId}`, id);
    if (id.startsWith("variant-") && id !== this.heard) {
      this.heard = id;
      this.files?.refresh();
      if (this.spoken) this.#showVariant();
      if (!this.context.isShared) post(`/v1/jobs/${this.job.jobId}:selectVariant`, { number: this.variant.number }).catch(() => {});
    }
  }

  async #showVariant() {
    const variant = this.variant;
    const own = await variantContent(variant);
    if (variant !== this.variant) return;
    this.own = own;
    this.editor?.refresh();
    if (this.old) this.player.offer(this.#tracks());
    this.#showContent();
    this.#at(this.player.position);
  }

  #showContent() {
    const { spans, cues, hits } = this.draft?.now || this.spoken;
    const words = this.draft?.isOther("cues") ? [] : this.spoken.words; // Corrected words have no times.
    const content = { ...this.spoken, ...this.own, spans, cues, hits, words };
    if (this.timeline) {
      this.timeline.show(content);
      return;
    }
    this.timeline = new Timeline(content, {
      onSeek: (s) => this.player.seek(s),
      onSelect: (index) => this.#selectSpan(index),
      ...(this.editor && this.#edits()),
    });
    this.problem = h("div");
    if (this.editor) {
      fill(this.timeline.tools, this.editor.tools);
      this.timeline.element.append(this.editor.element, this.problem);
    }
    fill(this.plot, this.timeline.element);
  }

  /** What the pointer and the keys change on the timeline. */
  #edits() {
    const { hits } = this.editor;
    return {
      onMove: (index, s, isDone) => this.editor.move(index, s, isDone),
      onSelectHit: (index) => this.#selectHit(index),
      onMoveHit: (index, s, isDone) => this.#moveHit(index, s, isDone),
      onAddHit: () => hits.add(),
      onDropHit: () => hits.drop(),
    };
  }

  /** Moves a hit, and shows the picture there. */
  #moveHit(index, s, isDone) {
    this.editor.hits.move(index, s, isDone);
    this.player.seek(this.draft.now.hits[index].at);
  }

  #selectHit(index) {
    this.timeline.selectHit(index);
    this.editor.hits.select(index);
  }

  #selectSpan(index) {
    this.timeline.select(index);
    this.editor?.select(index);
  }

  #at(s) {
    this.timeline?.at(s, !this.player.clock.paused);
    this.editor?.at(s);
    if (Math.abs(s - (this.kept || 0)) > 1) sessionStorage.setItem(`etbgm.at.${this.job.jobId}`, (this.kept = s));
  }

  #restorePosition() {
    const at = Number(sessionStorage.getItem(`etbgm.at.${this.job.jobId}`));
    if (at > 1 && !this.player.position) this.player.seek(at);
  }

  /** Measures the original, so that "before" is heard as loud as "after": louder always seems better. */
  async #matchOriginal() {
    const isShort = seconds(this.job.result.timeline.duration) <= LONGEST_S;
    if (!isShort || Number(this.job.video.sizeBytes) > MEASURED_BYTES) return;
    try {
      const file = await (await fetch(urlOf(this.job.video))).arrayBuffer();
      const original = await integratedLoudness(file);
      if (original === null) return;
      this.gainDb = Math.min(MOST_DB, this.variants[0].report.integratedLoudnessLufs - original);
      this.originalLufs = original;
      this.matched = t("original.matched");
      this.player.offer(this.#tracks());
    } catch {
      // The browser cannot decode it; the original is heard as it is.
    }
  }

  #notes() {
    const notes = this.job.result.notes || [];
    return notes.length ? h("details", { class: "card notes" }, h("summary", {}, t("notes", { count: notes.length })), h("ul", {}, notes.map((note) => h("li", {}, note)))) : null;
  }

  #key(event) {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !event.target.closest("input:not([type=range]), textarea")) {
      event.preventDefault();
      if (event.shiftKey) this.draft?.redo();
      else this.draft?.undo();
      return;
    }
    const isTyping = event.target.closest("input:not([type=range]), textarea, select");
    const isButton = event.key === " " && event.target.closest("button, a, summary, input");
    if (isTyping || isButton || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input[type=range]") && event.key.startsWith("Arrow")) return;
    if (this.player.key(event)) event.preventDefault();
  }
}
