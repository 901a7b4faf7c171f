// The settings of a new job: those that matter, and the others folded away.

import { h } from "../dom.js";
import { languageName, styleName, t } from "../text.js";

/** Level of the speech over the music in LU, as `etbgm run --music`; Torcoli et al., JAES 67(12), 2019. */
export const MUSIC_LU = { low: 18, medium: 14, high: 10 };

/** Target loudness in LUFS: video platforms, podcasts (AES TD1008), broadcast (EBU R 128). */
export const LOUDNESS_LUFS = { web: -14, podcast: -16, broadcast: -23 };

/** Returns {element, chosen}; `chosen` returns JobSettings as JSON. */
export function settingsForm(capabilities) {
  const style = select("style", styleOptions(capabilities));
  const hints = h("input", { id: "hints", type: "text", maxlength: 200, placeholder: t("set.hints.example") });
  const variants = h("input", { id: "variants", type: "number", min: 1, max: capabilities.limits.variants, value: 4 });
  const music = choice("music", Object.keys(MUSIC_LU), "medium");
  const original = choice("original", ["SPEECH_ONLY", "KEEP", "NONE"], "SPEECH_ONLY");
  const loudness = select("loudness", Object.keys(LOUDNESS_LUFS).map((name) => [name, t(`set.loudness.${name}`)]));
  const language = select("language", languageOptions(capabilities));
  const seed = h("input", { id: "seed", type: "number", min: 0, max: 2 ** 53 - 1, placeholder: t("set.seed.auto") });
  const ambience = h("input", { id: "ambience", type: "number", min: -60, max: 0, placeholder: t("set.ambience.none") });
  const translate = h("input", { id: "translate", type: "checkbox" });
  const stems = h("input", { id: "stems", type: "checkbox" });

  const element = h(
    "section",
    { class: "card stack", "aria-labelledby": "settings-title" },
    h("h2", { id: "settings-title" }, t("set.title")),
    h("div", { class: "fields" },
      field("style", style), field("variants", variants), field("loudness", loudness), field("language", language)),
    music.element,
    original.element,
    h("details", {},
      h("summary", {}, t("set.more")),
      h("div", { class: "fields" }, field("hints", hints), field("seed", seed), field("ambience", ambience)),
      h("div", { class: "stack" }, check("translate", translate), check("stems", stems))),
  );

  async function chosen() {
    const isSpeech = original.value() === "SPEECH_ONLY";
    return {
      variants: Number(variants.value) || 4,
      style: hints.value.trim() || style.value,
      language: language.value || undefined,
      randomSeed: seed.value || undefined,
      translate: translate.checked,
      stems: stems.checked,
      projects: true,
      mix: {
        originalAudio: `ORIGINAL_AUDIO_${original.value()}`,
        speechToMusicLu: MUSIC_LU[music.value()],
        targetLoudnessLufs: LOUDNESS_LUFS[loudness.value],
        ambienceDb: isSpeech && ambience.value !== "" ? Number(ambience.value) : undefined,
      },
    };
  }
  return { element, chosen };
}

/** The styles of the server as [value, text]. */
export function styleOptions(capabilities) {
  const names = ["auto", ...(capabilities.styles || []).map((one) => one.name)];
  return names.map((name) => [name, styleName(name)]);
}

function languageOptions(capabilities) {
  const tags = (capabilities.speechLanguages || []).map((tag) => [tag, languageName(tag)]);
  tags.sort((one, other) => one[1].localeCompare(other[1]));
  return [["", t("set.language.detect")], ...tags];
}

function select(id, options) {
  return h("select", { id }, options.map(([value, text]) => h("option", { value }, text)));
}

function field(name, input) {
  return h("div", { class: "field" }, h("label", { for: input.id }, t(`set.${name}`)), input);
}

function check(name, input) {
  return h("label", { class: "check" }, input, h("span", {}, t(`set.${name}`)));
}

/** A few options side by side. */
export function choice(name, values, first, onChange = () => {}) {
  const inputs = values.map((value) =>
    h("input", { type: "radio", name, value, id: `${name}-${value}`, checked: value === first, onchange: () => onChange(value) }));
  const labels = inputs.map((input) =>
    h("label", { for: input.id }, input, h("span", {}, t(`set.${name}.${input.value}`))));
  const element = h("fieldset", { class: "choice" }, h("legend", {}, t(`set.${name}`)), h("div", { class: "segments" }, labels));
  return { element, value: () => inputs.find((input) => input.checked)?.value ?? first };
}
