// "May I publish this?" in plain words, with the ingredients.

import { h } from "../dom.js";
import { t } from "../text.js";

export function licence(job) {
  const found = new Map();
  for (const engine of job.result.engines || []) {
    for (const one of engine.ingredients || []) found.set(one.name, one);
  }
  const ingredients = [...found.values()];
  const answer = ingredients.some((one) => one.commercialUse === false) ? "no"
    : ingredients.some((one) => one.commercialUse === undefined) ? "unknown" : "yes";
  const row = (one) =>
    h("tr", {}, h("th", { scope: "row" }, one.name), h("td", {}, one.licence),
      h("td", {}, t(one.commercialUse === undefined ? "publish.cell.unknown" : one.commercialUse ? "publish.cell.yes" : "publish.cell.no")),
      h("td", { class: "quiet" }, one.note || one.source));
  return h("section", { class: "card stack", "aria-labelledby": "publish-title" },
    h("h2", { id: "publish-title" }, t("publish.title")),
    h("p", { class: `verdict ${answer}` }, t(`publish.${answer}`)),
    h("p", { class: "quiet" }, t("publish.limits")),
    h("details", {}, h("summary", {}, t("publish.ingredients", { count: ingredients.length })),
      h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("publish.title") },
        h("table", {}, h("thead", {}, h("tr", {}, ["name", "licence", "use", "note"].map((one) => h("th", { scope: "col" }, t(`publish.${one}`))))),
          h("tbody", {}, ingredients.map(row))))));
}
