// Links to a result for people without a key. Only servers with accounts have them.

import { get, post, remove } from "../api.js";
import { announce, fill, h, icon } from "../dom.js";
import { moment, t } from "../text.js";
import { trouble } from "./trouble.js";

const DAYS = [1, 7, 90];
const DAY_S = 86_400;

export function sharing(job) {
  const path = `/v1/jobs/${job.jobId}/shares`;
  const days = h("select", { id: "share-days" }, DAYS.map((one) => h("option", { value: one }, t(`share.days.${one}`))));
  days.value = 7;
  const made = h("div");
  const known = h("ul", { class: "files" });
  const problem = h("div");
  const element = h("section", { class: "card stack", hidden: true, "aria-labelledby": "share-title" },
    h("h2", { id: "share-title" }, t("share.title")),
    h("p", { class: "quiet" }, t("share.hint")),
    h("div", { class: "row" }, h("label", { for: "share-days" }, t("share.days")), days,
      h("button", { type: "button", id: "share", onclick: () => tried(create) }, t("share.create"))),
    made, known, problem);

  async function tried(act) {
    fill(problem);
    try {
      await act();
    } catch (error) {
      fill(problem, trouble(error));
    }
  }

  async function create() {
    const answer = await post(path, { lifetime: `${days.value * DAY_S}s` });
    const link = h("input", { id: "share-link", type: "text", readonly: true, value: `${location.origin}${answer.path}` });
    const copy = h("button", { type: "button", onclick: async () => {
      await navigator.clipboard?.writeText(link.value);
      announce(t("share.copied"));
    } }, t("share.copy"));
    fill(made, h("label", { for: "share-link" }, t("share.once")), h("div", { class: "row" }, link, copy));
    link.select();
    await list();
  }

  async function list() {
    const { shares = [] } = await get(path);
    element.hidden = false;
    fill(known, shares.map((one) => h("li", { class: "row" },
      h("span", {}, t("share.until", { id: one.shareId, time: moment(one.expireTime) })),
      h("button", { type: "button", class: "plain", "aria-label": t("share.delete", { id: one.shareId }), onclick: () => tried(() => erase(one)) }, icon("close")))));
  }

  async function erase(one) {
    await remove(`${path}/${one.shareId}`);
    fill(made);
    announce(t("share.deleted"));
    await list();
  }

  // A server without accounts does not know links, so nothing is shown.
  list().catch(() => {});
  return element;
}
