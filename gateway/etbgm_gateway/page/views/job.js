// A job: on its way, finished, or failed.

import { get, post, seconds, urlOf, watch } from "../api.js";
import { announce, fill, h } from "../dom.js";
import { time, t } from "../text.js";
import { isFinished, nameOf, stateOf } from "../parts/joblist.js";
import { Player } from "../parts/player.js";
import { stages } from "../parts/stages.js";
import { trouble } from "../parts/trouble.js";
import { Result } from "./result.js";

/** Shows the view; returns what to do when it is left. */
export async function showJob(context, jobId) {
  const page = new JobPage(context, (await get(`/v1/jobs/${encodeURIComponent(jobId)}`)).job);
  return () => page.close();
}

class JobPage {
  constructor(context, job) {
    this.context = context;
    this.head = h("div", { class: "row heading" });
    this.way = h("div");
    this.body = h("div", { class: "stack" });
    fill(context.view, h("div", { class: "job stack" }, this.head, this.way, this.body));
    this.show(job);
    if (!isFinished(job)) {
      const lost = () => announce(t("watch.lost"));
      this.stop = watch(job.jobId, (update) => this.show(update), lost);
    }
  }

  close() {
    this.stop?.();
    this.result?.close();
    this.player?.close();
  }

  async show(job) {
    const isNews = job.state !== this.job?.state;
    this.job = job;
    document.title = `${nameOf(job)} – ET-BGM`;
    if (isNews) this.#showHead();
    this.#showWay(isNews);
    if (isNews && this.seen) announce(t(`state.${stateOf(job)}`));
    this.seen = true;
    if (stateOf(job) === "SUCCEEDED") await this.#showResult();
    else if (!isFinished(job)) this.#showPreviews();
  }

  #showHead() {
    const { job } = this;
    const act = (name, method) => h("button", { type: "button", id: name, onclick: () => this.#act(method) }, t(`job.${name}`));
    fill(this.head,
      h("div", {}, this.context.isShared ? h("p", { class: "quiet" }, t("shared.hint")) : h("a", { href: "#/", class: "back" }, t("job.back")), h("h1", {}, nameOf(job))),
      isFinished(job) ? null : act("cancel", () => post(`/v1/jobs/${job.jobId}:cancel`)));
  }

  async #act(method) {
    try {
      const { job } = await method();
      if (job.jobId === this.job.jobId) this.show(job);
      else this.context.go(`#/jobs/${job.jobId}`);
    } catch (error) {
      fill(this.way, h("section", { class: "card" }, trouble(error)));
    }
  }

  #showWay(isNews) {
    const state = stateOf(this.job);
    if (state === "SUCCEEDED") fill(this.way);
    else if (isFinished(this.job)) isNews && this.#showEnd(state);
    else {
      this.progress ??= stages();
      if (!this.progress.element.isConnected) fill(this.way, h("section", { class: "card" }, h("h2", {}, t("job.working")), this.progress.element));
      this.progress.update(this.job);
    }
  }

  #showEnd(state) {
    const again = () => this.#act(() => post("/v1/jobs", { video: this.job.video, settings: this.job.settings, userMetadata: this.job.userMetadata }));
    const what = state === "FAILED"
      ? trouble(problemOf(this.job.error), again)
      : h("div", {}, h("p", {}, t("job.cancelled")), h("button", { type: "button", onclick: again }, t("retry")));
    fill(this.way, h("section", { class: "card" }, what));
    this.player?.close();
    this.player = null;
    fill(this.body);
  }

  /** What a remix has changed, and the sound of variants, as soon as they are there. */
  #showPreviews() {
    const previews = [...(this.job.previews || [])].sort((one, other) => one.number - other.number);
    const { excerpt } = this.job;
    if (!previews.length && !excerpt) return;
    if (!this.player) {
      this.player = new Player(this.job.video, (s) => this.#at(s));
      this.told = h("p", { class: "quiet" });
      fill(this.body, this.told, this.player.element);
    }
    this.told.textContent = t(previews.length ? "job.previews" : "job.excerpt");
    this.player.offer([...(excerpt ? [excerptTrack(excerpt)] : []), ...previews.map((one) => ({
      id: `variant-${one.number}`, label: t("variant", { number: one.number }), url: urlOf(one.audio), sizeBytes: Number(one.audio.sizeBytes),
    }))]);
    if (excerpt && !this.endS) this.#playExcerpt(excerpt.span);
  }

  #playExcerpt(span) {
    this.endS = seconds(span.end);
    this.player.seek(seconds(span.start));
    this.player.toggle();
    announce(t("job.excerpt"));
  }

  /** Stops at the end of the change, while there is nothing else to hear. */
  #at(s) {
    if (this.player?.selected === "excerpt" && s >= this.endS && !this.player.clock.paused) this.player.toggle();
  }

  async #showResult() {
    this.stop?.();
    if (this.result) return;
    this.result = new Result(this.context, this.job, this.player);
    this.player = null;
    fill(this.body, this.result.element);
    await this.result.load();
  }
}

/** The beginning of the change as a soundtrack. */
function excerptTrack({ number, span, audio }) {
  const [startS, endS] = [seconds(span.start), seconds(span.end)];
  const hint = t("excerpt.hint", { number, start: time(startS), end: time(endS) });
  return { id: "excerpt", label: t("excerpt"), hint, url: urlOf(audio), sizeBytes: Number(audio.sizeBytes), startS };
}

/** google.rpc.Status in a job, as an error of the API. */
function problemOf(status) {
  const details = status?.details || [];
  const info = details.find((one) => one.reason) || {};
  const fields = details.flatMap((one) => one.fieldViolations || []);
  const errors = fields.map((one) => ({ field: one.field, detail: one.description }));
  return { reason: info.reason, message: status?.message || "", fields: errors, status: info.reason ? 400 : 500 };
}

