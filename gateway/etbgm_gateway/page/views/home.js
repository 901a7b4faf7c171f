// The first view: drop a video, choose settings, see earlier jobs.

import { post } from "../api.js";
import { announce, fill, h } from "../dom.js";
import { t } from "../text.js";
import { dropZone } from "../parts/dropzone.js";
import { jobList } from "../parts/joblist.js";
import { settingsForm } from "../parts/settings.js";
import { sending } from "../parts/sending.js";

/** Shows the view; returns what to do when it is left. */
export async function showHome({ view, capabilities, go, places = [] }) {
  const settings = settingsForm(capabilities);
  const uploads = h("div", { class: "stack", id: "uploads" });
  const jobs = jobList(go);

  function receive(files) {
    const items = files.map((file) => sending(file, settings.chosen, create));
    uploads.append(...items.map((item) => item.element));
    announce(t("upload.started", { count: items.length }));
    inOrder(items).then((created) => {
      if (created.length === 1 && files.length === 1) go(`#/jobs/${created[0]}`);
      else jobs.refresh();
    });
  }

  /** Videos of `etbgm ui`: on the server already, and started once the settings are chosen. */
  function offer(files) {
    const names = files.map((file) => h("strong", { class: "name" }, file.name));
    const box = h("div", { class: "ready" }, h("div", {}, names),
      h("button", { type: "button", class: "primary", id: "start", onclick: () => (box.remove(), receive(files)) }, t("ready.start")));
    uploads.append(box);
    box.querySelector("button").focus();
  }

  fill(
    view,
    h(
      "div",
      { class: "home" },
      h("section", { class: "card hero" }, h("h1", {}, t("home.title")), h("p", { class: "quiet" }, t("home.hint")),
        dropZone(capabilities, receive), uploads),
      settings.element,
      jobs.element,
    ),
  );
  document.title = "ET-BGM";
  const ready = places.map(videoAt).filter(Boolean);
  if (ready.length) offer(ready);
  jobs.refresh();
  return jobs.stop;
}

/** Sends one file after the other, so that the first result comes early; returns the ids of the new jobs. */
async function inOrder(items) {
  const created = [];
  for (const item of items) {
    const id = await item.run();
    if (id) created.push(id);
  }
  return created;
}

async function create(video, settings, name) {
  const made = await post("/v1/jobs", { video, settings, userMetadata: { name } });
  return made.job.jobId;
}

/** The video that a place such as "videos/HASH.mp4/SIZE/NAME" names; null if it names none. */
function videoAt(place) {
  const [, file, size, name] = /^videos\/([0-9a-f]{64}(?:\.\w+)?)\/(\d+)\/(.*)$/.exec(place) || [];
  if (!file) return null;
  const [sha256] = file.split(".");
  const video = { uri: `artifact://sha256/${file}`, sha256, sizeBytes: size };
  return { name: decodeURIComponent(name), size: Number(size), video };
}
