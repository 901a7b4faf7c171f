// Edits the hits: how the music marks cuts, and the selected cut.

import { announce, fill, h, icon, set } from "../dom.js";
import { percent, time, t } from "../text.js";
import { addHit, dropHit, indexAt, moveHit, setStrength } from "./hits.js";

/** Ways of marking cuts, as in JobSettings.hits. */
const MARKINGS = ["OFF", "SUBTLE", "STRONG"];

/** The name of a way of marking cuts; HITS_SUBTLE is the default of the API. */
export function markingOf(hits) {
  const name = (hits || "").replace("HITS_", "");
  return MARKINGS.includes(name) ? name : "SUBTLE";
}

export class HitEditor {
  /**
   * @param {Draft} draft
   * @param {{position: () => number, durationS: number, onSelectHit: (index: number) => void}} acts
   */
  constructor(draft, acts) {
    Object.assign(this, { draft, acts, selected: -1 });
    this.element = h("div", { class: "inspector hits" });
    this.refresh();
  }

  select(index) {
    this.selected = index;
    this.refresh();
    const hit = this.draft.now.hits[index];
    if (hit) announce(t(hit.strength ? "hit.at" : "hit.dropped", { time: time(hit.at, true) }));
  }

  move(index, s, isDone) {
    this.gesture ??= `hit ${performance.now()}`;
    this.#change(moveHit(this.draft.now.hits, index, s, this.acts.durationS), this.gesture);
    if (isDone) this.gesture = null;
  }

  add() {
    const { hits } = this.draft.now;
    const s = this.acts.position();
    const next = addHit(hits, s, this.acts.durationS);
    if (next === hits) {
      announce(t("edit.hit.taken"));
      return;
    }
    this.#change(next);
    this.acts.onSelectHit(indexAt(next, Math.round(s * 100) / 100));
  }

  drop() {
    const { hits } = this.draft.now;
    const hit = hits[this.selected];
    if (!hit?.strength) return;
    this.#change(dropHit(hits, this.selected));
    announce(t("hit.dropped", { time: time(hit.at, true) }));
    if (this.draft.now.hits.length < hits.length) this.acts.onSelectHit(-1);
  }

  refresh() {
    const { hits, marking } = this.draft.now;
    const hit = hits[this.selected];
    const key = JSON.stringify([this.selected, hit, marking]);
    if (key === this.shown) return;
    this.shown = key;
    const focus = this.element.contains(document.activeElement) ? document.activeElement.id : "";
    fill(this.element, this.#marking(marking), ...(hit ? this.#fields(hit) : [h("p", { class: "quiet" }, t("edit.hit.choose"))]),
      h("div", { class: "tools" },
        button("add", "plus", () => this.add()),
        hit && (hit.strength ? button("drop", "close", () => this.drop()) : button("mark", "check", () => this.#set(setStrength, 1)))));
    if (focus) (document.getElementById(focus) || this.element.querySelector("button")).focus();
  }

  #marking(marking) {
    const input = h("select", { id: "edit-marking", onchange: () => this.draft.change({ marking: input.value }) },
      MARKINGS.map((one) => h("option", { value: one }, t(`edit.hits.${one}`))));
    input.value = marking;
    return field("edit.hits", input);
  }

  #fields(hit) {
    const at = h("input", { id: "edit-hit-time", type: "number", step: 0.04, min: 0, value: Math.round(hit.at * 100) / 100,
      onchange: () => this.#set(moveHit, Number(at.value), this.acts.durationS) });
    const strength = h("input", { id: "edit-hit-strength", type: "range", min: 0, max: 1, step: 0.05, value: hit.strength,
      onchange: () => this.#set(setStrength, Number(strength.value)) });
    set(strength, { "aria-valuetext": percent(hit.strength) });
    return [field("edit.hit.time", at), field("edit.hit.strength", strength)];
  }

  #set(edit, ...values) {
    this.#change(edit(this.draft.now.hits, this.selected, ...values));
  }

  #change(hits, gesture = null) {
    this.draft.change({ hits }, gesture);
  }
}

function button(name, picture, act) {
  return h("button", { type: "button", id: `edit-hit-${name}`, onclick: act }, icon(picture), t(`edit.hit.${name}`));
}

function field(name, input) {
  return h("div", { class: "field" }, h("label", { for: input.id }, t(name)), input);
}
