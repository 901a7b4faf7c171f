// Adds music to a video by ET-BGM's HTTP API, with nothing but Node.js 20:
//
//     ETBGM_KEY=etbgm_… node examples/node/add_music.mjs VIDEO FOLDER [URL]
//
// Sends the video, follows the job, and writes the files of the result to FOLDER.
// @ts-check
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

const [video, folder, url = "http://127.0.0.1:8440"] = process.argv.slice(2);
const key = process.env.ETBGM_KEY;
const authorization = key ? { authorization: `Bearer ${key}` } : {};

/** @param {string} path @param {RequestInit & {duplex?: "half"}} [options] */
async function call(path, options = {}) {
  const headers = { ...authorization, ...options.headers };
  const response = await fetch(new URL(path, url), { ...options, headers });
  if (!response.ok) {
    const problem = await response.json(); // RFC 9457
    throw new Error(`${path}: ${problem.detail} (${problem.reason ?? problem.title})`);
  }
  return response;
}

/** Yields the job after each change, until it has ended. @param {string} jobId */
async function* watch(jobId) {
  let text = "";
  const { body } = await call(`/v1/jobs/${jobId}:watch`);
  for await (const part of body.pipeThrough(new TextDecoderStream())) {
    const events = (text + part).replaceAll("\r\n", "\n").split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) {
      const data = event.match(/^data: (.*)$/m);
      if (data && /^event: job$/m.test(event)) yield JSON.parse(data[1]);
    }
  }
}

const sending = { method: "PUT", body: Readable.toWeb(createReadStream(video)), duplex: "half" };
const headers = { "content-type": "video/mp4", "content-length": String((await stat(video)).size) };
const sent = await (await call(`/v1/uploads/${randomUUID()}`, { ...sending, headers })).json();

const request = { video: sent.video, settings: { variants: 2 }, requestId: randomUUID() };
const creating = { method: "POST", body: JSON.stringify(request), headers: { "content-type": "application/json" } };
let { job } = await (await call("/v1/jobs", creating)).json();

for await (job of watch(job.jobId)) {
  const stage = job.stages?.at(-1)?.stage.replace("STAGE_", "").toLowerCase() ?? "";
  console.log(job.state.replace("STATE_", "").toLowerCase(), stage);
}
if (job.state !== "STATE_SUCCEEDED") throw new Error(job.error?.message ?? job.state);

for (const { name, artifact } of job.result.files) {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  const { body } = await call(`/v1/artifacts/${artifact.uri.split("/").at(-1)}`);
  await pipeline(Readable.fromWeb(body), createWriteStream(join(folder, name)));
}
