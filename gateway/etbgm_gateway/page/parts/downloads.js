// Everything that can be taken away: the finished video first.

import { projectUrlOf, urlOf } from "../api.js";
import { fill, h, icon } from "../dom.js";
import { bytes, styleName, t } from "../text.js";
import { nameOf } from "./joblist.js";

/**
 * @param {object} job
 * @param {() => object} variantOf the variant whose files are offered
 */
export function downloads(job, variantOf) {
  const element = h("section", { class: "card stack", "aria-labelledby": "out-title" });
  const stem = nameOf(job).replace(/\.[^.]*$/, "");
  const link = ([kind, artifact, name], isMain = false) =>
    artifact?.uri
      ? h("a", { class: isMain ? "button primary" : "file", href: urlOf(artifact, `${stem}${name}`), download: `${stem}${name}`, "data-kind": kind },
          icon("download"), h("span", {}, t(`out.${kind}`)), h("small", {}, bytes(Number(artifact.sizeBytes))))
      : null;

  /** The project for video editors, with its files. */
  function project(variant, name) {
    if (!variant.project?.uri) return null;
    const href = projectUrlOf(job, variant.number, name);
    return h("a", { class: "file", href, download: name, "data-kind": "project" }, icon("download"), h("span", {}, t("out.project")), h("small", {}, "ZIP"));
  }

  function show() {
    const { result } = job;
    const one = variantOf();
    const name = `-variant-${one.number}`;
    const files = [
      ["audio", one.preview, `${name}.m4a`],
      ["music", one.music, `${name}-music.flac`],
      ["speech", result.speech, "-speech.flac"],
      ["midi", one.midi, `${name}.mid`],
      ["captions", result.transcriptSrt, ".srt"],
      ["captions.en", result.transcriptEnSrt, ".en.srt"],
      ["words", result.transcriptJson, "-words.json"],
      ["plot", result.timelinePlot, "-timeline.png"],
      ["score", one.picture, `${name}-pianoroll.png`],
      ["timeline", result.timelineJson, "-timeline.json"],
      ["report", result.report, "-report.json"],
      ...(one.stems || []).map((part) => [`stem.${part.name}`, part.sound, `${name}-${part.name}.flac`]),
    ];
    fill(element,
      h("h2", { id: "out-title" }, t("out.title")),
      link(["video", one.video, `${name}.${result.container}`], true),
      h("p", { class: "quiet" }, t("out.variant", { number: one.number, style: styleName(one.style) })),
      h("ul", { class: "files" }, [...files.map((file) => link(file)), project(one, `${stem}${name}.zip`)].filter(Boolean).map((file) => h("li", {}, file))));
  }
  show();
  element.refresh = show;
  return element;
}
