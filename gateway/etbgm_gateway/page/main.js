// Starts the page and shows the view that its address names: #/, #/jobs/ID, or #/shared/LINK/jobs/ID.

import { call, get, Problem, showShared } from "./api.js";
import { fill, h } from "./dom.js";
import * as text from "./text.js";
import { showHome } from "./views/home.js";
import { showJob } from "./views/job.js";
import { showLogin } from "./views/login.js";
import { trouble } from "./parts/trouble.js";

const view = document.getElementById("view");
let leave = () => {};

/** What the server can do; asked for once. */
let capabilities = null;

async function show() {
  leave();
  leave = () => {};
  fill(view);
  const [, shareId, address] = /^#\/(?:shared\/(\w+)\/)?(.*)$/.exec(location.hash) || [];
  const places = (address || "").split("&");
  const [kind, id] = places[0].split("/");
  const isShared = Boolean(shareId);
  showShared(shareId || "");
  try {
    capabilities ??= await get("/v1/capabilities");
    const context = { view, capabilities, go, places, isShared };
    leave = (await (kind === "jobs" && id ? showJob(context, decodeURIComponent(id)) : showHome(context))) || leave;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (isShared && [401, 404].includes(error.status)) fill(view, h("section", { class: "card narrow" }, h("p", {}, text.t("shared.ended"))));
    else if (error.status === 401) showLogin(view, show);
    else fill(view, h("section", { class: "card narrow" }, trouble(error, show)));
  }
  showMenu();
}

function go(hash) {
  if (location.hash === hash) show();
  else location.hash = hash;
}

function showMenu() {
  const languages = text.all().map((tag) => h("option", { value: tag }, text.languageName(tag)));
  const choice = h("select", { "aria-label": text.t("language.page"), onchange: () => text.choose(choice.value) }, languages);
  choice.value = text.current();
  fill(document.getElementById("menu"), choice);
}

/**
 * Opens a session with the key in the address (#key=…), or keeps the link (#share=…), which leave neither history
 * nor referrers.
 */
async function enter() {
  const found = /^#(key|share)=([^&]+)(?:&(.*))?$/.exec(location.hash);
  if (!found) return;
  const [, kind, secret, place = ""] = found;
  const shared = kind === "share" ? `shared/${secret.split("_")[1]}/` : "";
  history.replaceState(null, "", `/#/${shared}${place}`);
  await call("POST", "/session", { [kind]: decodeURIComponent(secret) }).catch(() => {});
}

await text.load();
await enter();
window.addEventListener("hashchange", () => {
  if (/^#(key|share)=/.test(location.hash)) enter().then(show);
  else show().then(() => view.focus());
});
await show();
