// Asks for a key.

import { post } from "../api.js";
import { fill, h } from "../dom.js";
import { t } from "../text.js";
import { trouble } from "../parts/trouble.js";

/** Shows the form; calls `onDone` once the session is open. */
export function showLogin(view, onDone) {
  const key = h("input", { type: "password", id: "key", autocomplete: "current-password", required: true });
  const problem = h("div");
  async function enter(event) {
    event.preventDefault();
    try {
      await post("/session", { key: key.value.trim() });
      onDone();
    } catch (error) {
      fill(problem, trouble(error));
    }
  }
  const form = h(
    "form",
    { class: "card narrow stack", onsubmit: enter },
    h("h1", {}, t("login.title")),
    h("p", { class: "quiet" }, t("login.hint")),
    h("label", { for: "key" }, t("login.key")),
    key,
    problem,
    h("button", { class: "primary" }, t("login.enter")),
  );
  fill(view, form);
  key.focus();
}
