// What happens to a job: its place in the queue, each stage, the time that is left.

import { fill, h, icon } from "../dom.js";
import { percent, remaining, t } from "../text.js";
import { stateOf } from "./joblist.js";

const STAGES = ["INGEST", "SEPARATE", "TRANSCRIBE", "ANALYZE", "GENERATE", "MIX"];

/** Returns {element, update}. */
export function stages() {
  const rows = new Map(STAGES.map((stage) => [stage, row(stage)]));
  const summary = h("p", { class: "quiet", id: "eta", role: "status" });
  const element = h("div", { class: "stages" }, h("ol", {}, [...rows.values()].map((one) => one.element)), summary);
  let words = "";

  function update(job) {
    const found = new Map(job.stages.map((one) => [one.stage.replace("STAGE_", ""), one]));
    for (const [stage, one] of rows) one.update(found.get(stage));
    const now = summaryOf(job);
    if (now !== words) fill(summary, (words = now));
  }
  return { element, update };
}

function row(stage) {
  const mark = h("span", { class: "mark" });
  const bar = h("progress", { max: 1, value: 0, "aria-label": t(`stage.${stage}`) });
  const note = h("span", { class: "quiet note" });
  const element = h("li", {}, mark, h("span", { class: "what" }, t(`stage.${stage}`)), bar, note);
  function update(progress) {
    const isDone = Boolean(progress?.endTime) || progress?.fraction === 1;
    element.className = isDone ? "done" : progress ? "running" : "";
    fill(mark, isDone ? icon("check") : null);
    bar.value = progress?.fraction || 0;
    const waits = progress?.waitingFor;
    note.textContent = waits ? t("stage.waits", { service: t(`service.${waits}`) })
      : progress?.found && isDone ? t("stage.found")
      : progress && !isDone ? percent(progress.fraction || 0) : "";
  }
  return { element, update };
}

function summaryOf(job) {
  if (stateOf(job) === "QUEUED") {
    const place = job.queuePosition ? t("queue.place", { place: job.queuePosition }) : t("state.QUEUED");
    return job.estimatedStartTime ? `${place} ${t("queue.starts", { time: left(job.estimatedStartTime) })}` : place;
  }
  return job.estimatedEndTime ? t("stage.left", { time: left(job.estimatedEndTime) }) : t("stage.working");
}

const left = (moment) => remaining(Math.max(1, (new Date(moment) - Date.now()) / 1000));
