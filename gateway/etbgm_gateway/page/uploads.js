// Uploads by tus 1.0 (https://tus.io/protocols/resumable-upload): continues after a lost connection, and
// after the page was closed if the same file is chosen again.

import { call, problemOf, Problem } from "./api.js";

const PART_BYTES = 8 << 20;
const PAUSES_S = [0.5, 1, 2, 4, 8, 15, 30];
const TUS = { "Tus-Resumable": "1.0.0" };

/** Where an upload of this file is remembered. */
const memoryOf = (file) => `etbgm.upload.${file.name}.${file.size}.${file.lastModified}`;

/**
 * Uploads a file.
 * @param {File} file
 * @param {(share: number, isWaiting: boolean) => void} onProgress
 * @param {AbortSignal} signal
 * @returns {Promise<object>} the artifact. Throws Problem; AbortError if aborted.
 */
export async function upload(file, onProgress, signal) {
  const memory = memoryOf(file);
  let failures = 0;
  for (;;) {
    try {
      const [place, offset] = (await resumed(memory)) || [await created(file, memory), 0];
      const artifact = await sendAll(file, place, offset, (share) => {
        failures = 0;
        onProgress(share, false);
      }, signal);
      localStorage.removeItem(memory);
      return artifact;
    } catch (error) {
      if (signal.aborted || !isPassing(error) || failures >= PAUSES_S.length) throw error;
      onProgress(-1, true);
      await pause(error.retryAfterS || PAUSES_S[failures++], signal);
    }
  }
}

/** Whether a later attempt may succeed. */
const isPassing = (error) =>
  error instanceof Problem && [0, 409, 423, 429, 499, 502, 503, 504].includes(error.status);

async function created(file, memory) {
  const type = btoa(file.type || "application/octet-stream");
  const headers = { ...TUS, "Upload-Length": String(file.size), "Upload-Metadata": `filetype ${type}` };
  const response = await attempt(() => fetch("/v1/uploads", { method: "POST", headers }));
  const place = response.headers.get("Location");
  localStorage.setItem(memory, place);
  return place;
}

/** Where to go on, and how much is there; null if the server does not know the upload. */
async function resumed(memory) {
  const place = localStorage.getItem(memory);
  if (!place) return null;
  try {
    const response = await attempt(() => fetch(place, { method: "HEAD", headers: TUS }));
    return [place, Number(response.headers.get("Upload-Offset"))];
  } catch (error) {
    if (error.status !== 404) throw error;
    localStorage.removeItem(memory);
    return null;
  }
}

async function sendAll(file, place, start, onShare, signal) {
  let offset = start;
  while (offset < file.size) {
    const part = file.slice(offset, offset + PART_BYTES);
    const before = offset;
    offset = await send(place, part, before, (sent) => onShare((before + sent) / file.size), signal);
  }
  return (await call("GET", place)).video;
}

/** Sends a part; returns the new offset. Only XMLHttpRequest tells the progress of what it sends. */
function send(place, part, offset, onSent, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    request.open("PATCH", place);
    request.setRequestHeader("Tus-Resumable", TUS["Tus-Resumable"]);
    request.setRequestHeader("Upload-Offset", String(offset));
    request.setRequestHeader("Content-Type", "application/offset+octet-stream");
    request.upload.onprogress = (event) => onSent(event.loaded);
    request.onload = () => {
      if (request.status < 300) resolve(Number(request.getResponseHeader("Upload-Offset")));
      else reject(problemIn(request));
    };
    request.onerror = () => reject(new Problem({ status: 0, reason: "UNREACHABLE" }));
    request.onabort = () => reject(signal.reason);
    request.onloadend = () => signal.removeEventListener("abort", abort);
    signal.addEventListener("abort", abort);
    request.send(part);
  });
}

function problemIn(request) {
  try {
    return new Problem({ status: request.status, ...JSON.parse(request.responseText) });
  } catch {
    return new Problem({ status: request.status });
  }
}

async function attempt(request) {
  let response;
  try {
    response = await request();
  } catch {
    throw new Problem({ status: 0, reason: "UNREACHABLE" });
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

const pause = (s, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, s * 1000);
    signal.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
