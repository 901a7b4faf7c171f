// The picture with its soundtracks as tabs, and the controls.

import { urlOf } from "../api.js";
import { fill, h, icon, set } from "../dom.js";
import { time, t } from "../text.js";
import { Deck } from "../sound/deck.js";

const STEP_S = 5;

export class Player {
  /**
   * @param {object} video artifact of the picture
   * @param {(seconds: number) => void} onTime called as the position changes
   */
  constructor(video, onTime) {
    this.clock = h("video", { playsinline: true, preload: "auto", class: "picture", "aria-label": t("player.picture") });
    this.clock.muted = true;
    this.deck = new Deck(this.clock);
    this.onTime = onTime;
    this.pictures = [urlOf(video)];
    this.#nextPicture();
    this.clock.addEventListener("error", () => this.#nextPicture());
    this.tabs = h("div", { class: "tabs", role: "tablist", "aria-label": t("player.soundtracks") });
    this.note = h("p", { class: "quiet note", hidden: true });
    this.element = h("section", { class: "card player", "aria-label": t("player") },
      h("div", { class: "stage" }, this.clock, this.note), this.#controls(), this.tabs);
    this.selected = null;
    this.#tick();
  }

  /** Another file with the same picture, or only its sound, for browsers that cannot show the first. */
  alsoAt(url) {
    this.pictures.push(url);
    if (this.clock.error) this.#nextPicture();
  }

  get position() {
    return this.clock.currentTime;
  }

  seek(s) {
    const end = this.clock.duration || Infinity;
    this.clock.currentTime = Math.max(0, Math.min(s, end - 0.05));
    this.#show();
  }

  toggle() {
    if (this.clock.paused) this.clock.play().catch(() => {});
    else this.clock.pause();
  }

  /**
   * Shows the soundtracks as tabs, in this order.
   * @param {{id: string, label: string, hint?: string, url: string, sizeBytes?: number, gainDb?: number, startS?: number}[]} tracks
   * @param {string} [first] the one to select, if it is there and none has been selected yet
   */
  offer(tracks, first = "") {
    for (const track of tracks) this.deck.add(track.id, track);
    const isSame = JSON.stringify(tracks.map(({ id, label, hint }) => [id, label, hint]));
    if (isSame !== this.offered) {
      this.offered = isSame;
      fill(this.tabs, tracks.map((track) => this.#tab(track)));
    }
    const has = (id) => tracks.some((track) => track.id === id);
    if (tracks.length && !has(this.selected)) this.select(has(first) ? first : tracks[0].id);
    else this.#mark();
  }

  async select(id) {
    if (!this.deck.tracks.has(id)) return;
    this.selected = id;
    this.#mark();
    this.onSelect?.(id);
    this.lastSwitchMs = await this.deck.select(id);
  }

  close() {
    cancelAnimationFrame(this.frame);
    this.clock.pause();
    this.deck.close();
    this.clock.removeAttribute("src");
    this.clock.load();
  }

  #nextPicture() {
    const url = this.pictures.shift();
    if (!url) return;
    const at = this.clock.currentTime;
    this.clock.src = url;
    if (at) this.clock.currentTime = at;
  }

  #tab(track) {
    return h("button", {
      type: "button", role: "tab", id: `tab-${track.id}`, "data-track": track.id,
      onclick: () => this.select(track.id),
      onpointerenter: () => this.deck.prepare(track.id),
      onkeydown: (event) => this.#moveTab(event),
    }, h("span", {}, track.label), track.hint ? h("small", {}, track.hint) : null);
  }

  #moveTab(event) {
    const tabs = [...this.tabs.children];
    const steps = { ArrowRight: 1, ArrowLeft: -1 };
    if (!(event.key in steps)) return;
    event.preventDefault();
    event.stopPropagation();
    const next = tabs[(tabs.indexOf(event.currentTarget) + steps[event.key] + tabs.length) % tabs.length];
    next.focus();
    this.select(next.dataset.track);
  }

  #mark() {
    for (const tab of this.tabs.children) {
      const isSelected = tab.dataset.track === this.selected;
      set(tab, { "aria-selected": isSelected ? "true" : "false", tabindex: isSelected ? 0 : -1 });
    }
  }

  #controls() {
    this.button = h("button", { type: "button", class: "round primary", onclick: () => this.toggle() });
    this.seeker = h("input", { type: "range", min: 0, max: 1, step: 0.01, value: 0, class: "seek", "aria-label": t("player.position"),
      oninput: () => this.seek(Number(this.seeker.value)) });
    this.readout = h("span", { class: "time" });
    const volume = h("input", { type: "range", min: 0, max: 1, step: 0.01, value: 1, class: "volume", "aria-label": t("player.volume"),
      oninput: () => this.deck.setVolume(Number(volume.value) ** 2) });
    for (const kind of ["play", "pause", "ended"]) this.clock.addEventListener(kind, () => this.#showButton());
    this.clock.addEventListener("loadedmetadata", () => this.#hasPicture());
    this.#showButton();
    return h("div", { class: "controls" }, this.button, this.readout, this.seeker, volume);
  }

  #hasPicture() {
    this.seeker.max = this.clock.duration || 1;
    this.note.hidden = this.clock.videoWidth > 0;
    this.note.textContent = t("player.no-picture");
    this.#show();
  }

  #showButton() {
    const isPaused = this.clock.paused;
    fill(this.button, icon(isPaused ? "play" : "pause"));
    set(this.button, { "aria-label": t(isPaused ? "player.play" : "player.pause"), "aria-keyshortcuts": "Space" });
  }

  #tick() {
    this.frame = requestAnimationFrame(() => this.#tick());
    if (this.clock.currentTime !== this.shown) this.#show();
  }

  #show() {
    this.shown = this.clock.currentTime;
    this.seeker.value = this.shown;
    set(this.seeker, { "aria-valuetext": time(this.shown) });
    const words = `${time(this.shown)} / ${time(this.clock.duration || 0)}`;
    if (this.readout.textContent !== words) this.readout.textContent = words;
    this.onTime(this.shown);
  }

  /** Keys of the player, for the whole view; returns whether one was meant. */
  key(event) {
    const steps = { ArrowLeft: -STEP_S, ArrowRight: STEP_S };
    if (event.key === " ") this.toggle();
    else if (event.key in steps) this.seek(this.position + steps[event.key]);
    else if (/^[0-9]$/.test(event.key)) this.#selectNumber(Number(event.key));
    else return false;
    return true;
  }

  #selectNumber(number) {
    const tab = number ? this.tabs.children[number - 1] : this.tabs.querySelector("[data-track=original]");
    if (tab) this.select(tab.dataset.track);
  }
}
