// Starts the page and shows the view that its address names: #/, #/jobs/ID.

import { call, get, Problem } from "./api.js";
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
  const places = location.hash.replace(/^#\//, "").split("&");
  const [kind, id] = places[0].split("/");
  try {
    capabilities ??= await get("/v1/capabilities");
    const context = { view, capabilities, go, places };
    leave = (await (kind === "jobs" && id ? showJob(context, decodeURIComponent(id)) : showHome(context))) || leave;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status === 401) showLogin(view, show);
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

/** Opens a session with the key in the address (#key=…), which leaves neither history nor referrers. */
async function enter() {
  const found = /^#key=([^&]+)(?:&(.*))?$/.exec(location.hash);
  if (!found) return;
  history.replaceState(null, "", `/#/${found[2] || ""}`);
  await call("POST", "/session", { key: decodeURIComponent(found[1]) }).catch(() => {});
}

await text.load();
await enter();
window.addEventListener("hashchange", () => {
  if (location.hash.startsWith("#key=")) enter().then(show);
  else show().then(() => view.focus());
});
await show();
