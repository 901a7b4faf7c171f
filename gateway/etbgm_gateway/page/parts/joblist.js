// Earlier jobs, newest first: open, delete.

import { get, remove } from "../api.js";
import { announce, fill, h, icon } from "../dom.js";
import { moment, t } from "../text.js";
import { trouble } from "./trouble.js";

const REFRESH_MS = 4000;
const PAGE = 10;

/** The name that a job's video had. */
export const nameOf = (job) => job.userMetadata?.name || t("job.unnamed", { id: job.jobId.slice(0, 8) });

export const stateOf = (job) => job.state.replace("STATE_", "");
export const isFinished = (job) => !["QUEUED", "RUNNING"].includes(stateOf(job));

/** Returns {element, refresh, stop}. It refreshes itself while a job is unfinished. */
export function jobList(go) {
  const list = h("ul", { class: "jobs" });
  const more = h("button", { type: "button", class: "quiet", hidden: true }, t("jobs.more"));
  const element = h("section", { class: "card stack", "aria-labelledby": "jobs-title", hidden: true },
    h("h2", { id: "jobs-title" }, t("jobs.title")), list, more);
  let timer = 0;
  let size = PAGE;
  let shown = "";

  async function refresh() {
    clearTimeout(timer);
    try {
      const page = await get(`/v1/jobs?pageSize=${size}`);
      const jobs = page.jobs || [];
      const state = JSON.stringify(jobs.map((job) => [job.jobId, job.state]));
      if (state !== shown) fill(list, jobs.map((job) => item(job, forget, refresh)));
      shown = state;
      element.hidden = !jobs.length;
      more.hidden = !page.nextPageToken || size >= 100;
      if (jobs.some((job) => !isFinished(job))) timer = setTimeout(refresh, REFRESH_MS);
    } catch (error) {
      element.hidden = false;
      fill(list, h("li", {}, trouble(error, refresh)));
    }
  }
  const forget = () => (shown = "");
  more.addEventListener("click", () => ((size = 100), refresh()));
  return { element, refresh, stop: () => clearTimeout(timer) };
}

function item(job, forget, refresh) {
  const name = nameOf(job);
  async function erase() {
    if (!confirm(t("jobs.delete.sure", { name }))) return;
    await remove(`/v1/jobs/${job.jobId}`).catch((error) => alert(error.message));
    forget();
    announce(t("jobs.deleted", { name }));
    refresh();
  }
  const state = stateOf(job);
  return h("li", {},
    h("a", { href: `#/jobs/${job.jobId}` },
      h("span", { class: "name" }, name, job.parentJobId ? h("span", { class: "tag" }, t("job.remix")) : null),
      h("span", { class: "quiet" }, moment(job.createTime))),
    h("span", { class: `state ${state.toLowerCase()}` }, t(`state.${state}`)),
    isFinished(job)
      ? h("button", { type: "button", class: "plain", "aria-label": t("jobs.delete", { name }), onclick: erase }, icon("close"))
      : h("span"));
}
