// Shows an error: what happened and what to do next.

import { h } from "../dom.js";
import { has, t } from "../text.js";

/** Reasons that call for the same as another one. */
const ALIKE = {
  SCOPE_MISSING: "PERMISSION_DENIED",
  SERVICE_BUSY: "SERVICE_UNAVAILABLE",
  SERVICE_FAILED: "SERVICE_UNAVAILABLE",
  SERVICE_LOST: "SERVICE_UNAVAILABLE",
  SERVICE_TIMEOUT: "SERVICE_UNAVAILABLE",
  STOPPING: "BUSY",
  LOADING: "BUSY",
};

/** The sentence for a reason of the API, else for the kind of its status. */
export function adviceOf(reason, status) {
  const key = `error.${ALIKE[reason] || reason}`;
  if (has(key)) return t(key);
  return t(status >= 500 ? "error.internal" : "error.other");
}

/**
 * @param {{reason: string, message: string, status?: number, fields?: {field: string, detail: string}[]}} error
 * @param {() => void} [retry]
 */
export function trouble(error, retry) {
  const fields = (error.fields || []).map((one) => h("li", {}, `${one.field}: ${one.detail}`));
  const isKnown = has(`error.${error.reason}`);
  return h(
    "div",
    { class: "trouble", role: "alert" },
    h("p", { class: "advice" }, adviceOf(error.reason, error.status)),
    fields.length ? h("ul", {}, fields) : isKnown || !error.message ? null : h("p", { class: "detail" }, error.message),
    retry && h("button", { type: "button", onclick: retry }, t("retry")),
  );
}
