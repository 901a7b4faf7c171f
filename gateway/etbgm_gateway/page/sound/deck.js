// Several soundtracks of one picture: one is heard, and a switch loses neither the position nor a sample.
//
// The picture's own sound is muted; it is the clock. Each soundtrack is an audio element that plays only while it
// is heard. At a switch the next one starts at the clock's time while the last one still plays, and then they are
// cross-faded, so that there is no gap.

/** Length of a cross-fade in seconds: long enough not to click, too short to be noticed. */
const FADE_S = 0.02;
/** Differences to the clock, in seconds: a smaller one is left alone, a larger one is mended by a jump. */
const LEFT_ALONE_S = 0.025;
const JUMP_S = 0.12;
/** Larger soundtracks are not loaded as a whole, but played from the server. */
const WHOLE_BYTES = 96 << 20;

export class Deck {
  /** @param {HTMLVideoElement} clock */
  constructor(clock) {
    this.clock = clock;
    this.tracks = new Map();
    this.active = null;
    this.wanted = null;
    this.volume = 1;
    this.startLeadS = 0;
    for (const kind of ["play", "playing"]) clock.addEventListener(kind, () => this.#start());
    for (const kind of ["pause", "waiting", "ended"]) clock.addEventListener(kind, () => this.#stop());
    clock.addEventListener("seeking", () => this.active && this.#align(this.active, true));
    clock.addEventListener("ratechange", () => this.#align(this.active));
    this.timer = setInterval(() => this.#follow(), 250);
  }

  /**
   * Adds a soundtrack, or replaces the one with this id.
   * @param {string} id
   * @param {{url: string, sizeBytes?: number, gainDb?: number, startS?: number}} sound gainDb is applied to it
   *   alone; it begins at startS, and is silent before and after
   */
  add(id, { url, sizeBytes = Infinity, gainDb = 0, startS = 0 }) {
    const old = this.tracks.get(id);
    if (old?.url === url) return this.level(id, gainDb);
    const element = new Audio();
    element.preload = "auto";
    const track = { id, url, element, gainDb, startS, fader: null, ready: null };
    track.ready = sizeBytes <= WHOLE_BYTES ? whole(url).then((blob) => { element.src = blob; }) : Promise.resolve(void (element.src = url));
    track.ready.catch(() => {});
    this.tracks.set(id, track);
    if (old) this.#replace(old, track);
    return undefined;
  }

  /** Sets the gain of one soundtrack in dB, for example to match another one's loudness. */
  level(id, gainDb) {
    const track = this.tracks.get(id);
    if (!track) return;
    track.gainDb = gainDb;
    if (track.fader && this.active === track) this.#fade(track, true);
  }

  /** Loads a soundtrack that is not heard yet, so that a switch to it is quick. */
  prepare(id) {
    this.tracks.get(id)?.ready.catch(() => {});
  }

  /** Switches to a soundtrack. Resolves, to the milliseconds that it took, once it is heard. */
  async select(id) {
    const next = this.tracks.get(id);
    if (!next || this.wanted === next) return 0;
    this.wanted = next;
    const began = performance.now();
    await next.ready;
    if (this.wanted !== next) return 0;
    await this.#align(next, true);
    if (this.context && !this.clock.paused) await this.#play(next);
    if (this.wanted !== next) return 0;
    const last = this.active;
    this.active = next;
    if (last) this.#fade(last, false);
    this.#fade(next, true);
    setTimeout(() => this.active !== last && last?.element.pause(), FADE_S * 4000);
    return performance.now() - began;
  }

  /** Where all soundtracks end: an audio node, which level meters and tests may read. Made by the first play. */
  get output() {
    return this.master ?? null;
  }

  setVolume(volume) {
    this.volume = volume;
    if (this.master) this.master.gain.setTargetAtTime(volume, this.context.currentTime, 0.01);
  }

  close() {
    clearInterval(this.timer);
    for (const { element, url } of this.tracks.values()) {
      element.pause();
      if (element.src.startsWith("blob:") && element.src !== url) URL.revokeObjectURL(element.src);
      element.removeAttribute("src");
    }
    this.context?.close();
  }

  /** Browsers allow sound only after the user has done something, so it begins with the first play. */
  #open() {
    if (this.context) return;
    this.context = new AudioContext({ latencyHint: "interactive" });
    this.master = this.context.createGain();
    this.master.gain.value = this.volume;
    this.master.connect(this.context.destination);
  }

  #connect(track) {
    if (track.fader) return;
    track.fader = this.context.createGain();
    track.fader.gain.value = 0;
    this.context.createMediaElementSource(track.element).connect(track.fader).connect(this.master);
  }

  async #start() {
    this.#open();
    this.context.resume();
    const track = this.active;
    if (!track) return;
    await track.ready;
    await this.#align(track);
    if (this.clock.paused || track !== this.active) return;
    await this.#play(track);
    this.#fade(track, true);
  }

  #stop() {
    for (const { element } of this.tracks.values()) element.pause();
  }

  async #play(track) {
    this.#connect(track);
    track.element.playbackRate = this.clock.playbackRate;
    await track.element.play().catch(() => {});
    // It has taken a moment to start; meanwhile the clock went on.
    if (Math.abs(this.#lag(track)) > LEFT_ALONE_S) await this.#align(track, true);
  }

  /** Seconds by which the soundtrack is behind the clock. */
  #lag(track) {
    return this.clock.currentTime - track.startS - track.element.currentTime;
  }

  /** Brings a soundtrack to the clock's time; resolves when it is there. */
  async #align(track, always = false) {
    if (!track || (!always && Math.abs(this.#lag(track)) < JUMP_S)) return;
    const { element } = track;
    if (!element.src) return;
    await seekable(element);
    const leadS = this.clock.paused ? 0 : this.startLeadS;
    const began = performance.now();
    const at = this.clock.currentTime - track.startS + leadS;
    if (at < 0) element.pause();
    if (at < 0 || (Number.isFinite(element.duration) && at > element.duration)) return;
    element.currentTime = at;
    await once(element, "seeked", 400);
    if (!this.clock.paused) this.startLeadS = Math.min(0.1, 0.5 * this.startLeadS + 0.5 * ((performance.now() - began) / 1000));
  }

  /** Follows the clock: small differences by playing a little faster or slower, which keeps the pitch. */
  #follow() {
    const track = this.active;
    if (!track || this.clock.paused || this.clock.seeking || track.element.paused || track.element.seeking) return;
    const lag = this.#lag(track);
    if (Math.abs(lag) > JUMP_S) this.#align(track, true);
    const nudge = Math.abs(lag) < LEFT_ALONE_S ? 0 : Math.max(-0.04, Math.min(0.04, lag));
    track.element.playbackRate = this.clock.playbackRate * (1 + nudge);
  }

  #fade(track, isIn) {
    if (!track.fader) return;
    const value = isIn ? 10 ** (track.gainDb / 20) : 0;
    track.fader.gain.setTargetAtTime(value, this.context.currentTime, FADE_S / 3);
  }

  #replace(old, track) {
    old.element.pause();
    if (this.active !== old) return;
    this.active = null;
    this.wanted = null;
    this.select(track.id);
  }
}

/** Loads a whole soundtrack. Connections are few, and an element that streams holds one. */
async function whole(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return URL.createObjectURL(await response.blob());
}

/** Resolves when the element knows its duration. */
const seekable = (element) =>
  element.readyState >= HTMLMediaElement.HAVE_METADATA ? Promise.resolve() : once(element, "loadedmetadata", 10_000);

const once = (element, kind, mostMs) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, mostMs);
    element.addEventListener(kind, () => (clearTimeout(timer), resolve()), { once: true });
  });
