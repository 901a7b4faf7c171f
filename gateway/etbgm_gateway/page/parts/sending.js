// One file on its way: upload, then the job.

import { fill, h, icon } from "../dom.js";
import { bytes, percent, t } from "../text.js";
import { upload } from "../uploads.js";
import { trouble } from "./trouble.js";

/**
 * Returns {element, run}; `run` returns the id of the new job, null without one.
 * @param {{name: string, size: number, video?: object}} file a File, or a video that is already on the server
 */
export function sending(file, settingsOf, create) {
  const stopping = new AbortController();
  const bar = h("progress", { max: 1, value: 0, "aria-label": t("upload.of", { name: file.name }) });
  const note = h("span", { class: "quiet" }, t("upload.waits"));
  const stop = h("button", { type: "button", class: "plain", "aria-label": t("upload.stop", { name: file.name }),
    onclick: () => (stopping.abort(), element.remove()) }, icon("close"));
  const problem = h("div");
  const element = h("div", { class: "sending" },
    h("div", { class: "row" }, h("strong", { class: "name" }, file.name), h("span", { class: "quiet" }, bytes(file.size)), stop),
    bar, note, problem);

  function progress(share, isWaiting) {
    if (isWaiting) note.textContent = t("upload.lost");
    else {
      bar.value = share;
      note.textContent = t("upload.share", { share: percent(share) });
    }
  }

  async function run() {
    if (stopping.signal.aborted) return null;
    fill(problem);
    try {
      if (!file.size) throw Object.assign(new Error(), { reason: "EMPTY_FILE" });
      const video = file.video || (await upload(file, progress, stopping.signal));
      note.textContent = t("upload.checking");
      const id = await create(video, await settingsOf(), file.name);
      element.remove();
      return id;
    } catch (error) {
      note.textContent = "";
      if (!stopping.signal.aborted) fill(problem, trouble(error, error.reason === "EMPTY_FILE" ? undefined : run));
      return null;
    }
  }

  return { element, run };
}
