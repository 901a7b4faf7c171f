// Calls of the API: JSON over HTTP, problem details (RFC 9457) and server-sent events.

/** An answer of the API that is an error. */
export class Problem extends Error {
  /** @param {{status: number, reason?: string, detail?: string, errors?: {field: string, detail: string}[]}} body */
  constructor(body, retryAfterS = 0) {
    super(body.detail || body.reason || `HTTP ${body.status}`);
    this.status = body.status;
    this.reason = body.reason || "UNKNOWN";
    this.fields = body.errors || [];
    this.metadata = body.metadata || {};
    this.retryAfterS = retryAfterS;
  }
}

/** Returns the problem in an answer. */
export async function problemOf(response) {
  const body = await response.json().catch(() => ({}));
  return new Problem({ status: response.status, ...body }, Number(response.headers.get("Retry-After")) || 0);
}

/** The id of the link by which the page shows a job of somebody else; "" for users with a key. */
let shareId = "";

export function showShared(id) {
  shareId = id;
}

/** Returns the address of a call or a file, with the link that permits it. */
const permitted = (path) => (shareId ? `${path}${path.includes("?") ? "&" : "?"}shared=${shareId}` : path);

/** Calls the API; returns the JSON of its answer, null if it is empty. Throws Problem. */
export async function call(method, path, body) {
  let response;
  try {
    response = await fetch(permitted(path), {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Problem({ status: 0, reason: "UNREACHABLE", detail: "the server cannot be reached" });
  }
  if (!response.ok) throw await problemOf(response);
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

export const get = (path) => call("GET", path);
export const post = (path, body = {}) => call("POST", path, body);
export const remove = (path) => call("DELETE", path);

/** Returns the address of a variant's project for video editors, with its files. */
export function projectUrlOf(job, number, filename) {
  return permitted(`/v1/jobs/${job.jobId}/project?variant=${number}&filename=${encodeURIComponent(filename)}`);
}

/** Returns the address of an artifact; with a file name, of its download. */
export function urlOf(artifact, filename = "") {
  const name = artifact.uri.slice(artifact.uri.lastIndexOf("/") + 1);
  return permitted(`/v1/artifacts/${name}${filename ? `?filename=${encodeURIComponent(filename)}` : ""}`);
}

/**
 * Watches a job until it ends; the browser reconnects by itself and continues after the last event.
 * @returns {() => void} stops watching
 */
export function watch(jobId, onJob, onLost = () => {}) {
  const events = new EventSource(`/v1/jobs/${encodeURIComponent(jobId)}:watch`);
  const receive = (event) => onJob(JSON.parse(event.data));
  events.addEventListener("job", receive);
  events.addEventListener("heartbeat", receive);
  events.addEventListener("end", () => events.close());
  events.addEventListener("error", () => onLost(events.readyState === EventSource.CLOSED));
  return () => events.close();
}

/** Seconds of a duration such as "5.5s". */
export const seconds = (text) => Number.parseFloat(text || "0");

/** The duration of so many seconds, to the millisecond. */
export const duration = (s) => `${Math.round(s * 1000) / 1000}s`;
