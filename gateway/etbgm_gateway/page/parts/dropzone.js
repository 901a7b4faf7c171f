// Where videos are dropped or chosen.

import { h, icon } from "../dom.js";
import { bytes, t } from "../text.js";

/**
 * @param {object} capabilities
 * @param {(files: File[]) => void} onFiles
 */
export function dropZone(capabilities, onFiles) {
  const input = h("input", {
    type: "file", id: "file", class: "unseen", multiple: true, accept: "video/*,.mkv,.avi,.mov,.ts,.flv,.webm",
    onchange: () => {
      take(input.files);
      input.value = "";
    },
  });
  const zone = h(
    "div",
    { class: "drop" },
    input,
    h("label", { for: "file", class: "target" },
      icon("upload"),
      h("span", { class: "big" }, t("drop.title")),
      h("span", { class: "button primary" }, t("drop.choose")),
      h("span", { class: "quiet" }, t("drop.hint", { size: bytes(Number(capabilities.limits.uploadBytes)) }))),
  );
  const take = (list) => list.length && onFiles([...list]);

  // Files may be dropped anywhere on the page.
  let depth = 0;
  const over = (change) => zone.classList.toggle("over", (depth = Math.max(0, depth + change)) > 0);
  const listeners = {
    dragenter: () => over(1),
    dragleave: () => over(-1),
    dragover: (event) => event.preventDefault(),
    drop: (event) => {
      event.preventDefault();
      over(-depth);
      take(event.dataTransfer.files);
    },
  };
  const frame = document.body;
  for (const [kind, listener] of Object.entries(listeners)) {
    frame.addEventListener(kind, (event) => zone.isConnected && listener(event));
  }
  return zone;
}
