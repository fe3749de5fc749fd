// Requests to the API. The detail of a problem document becomes the error's message.

let stays = () => false;

// While `check()` is true, a page whose user was signed out is not left: it would end a talk.
export function stayWhile(check) {
  stays = check;
}

export const isStaying = () => stays();

const csrf = document.querySelector('meta[name="csrf"]');
const { user } = document.body.dataset; // whose page it is: another may have signed in in another tab since

export class Problem extends Error {
  constructor(document, status) {
    super(document.detail);
    this.status = status;
    this.reasons = document.reasons ?? [];
    this.nextAt = document.next_at ?? null;
    this.confirm = document.confirm ?? null; // the field that confirms the request when it is sent again
  }
}

export function setCsrf(value) {
  csrf.content = value;
}

// The response, if it is OK; any other status throws a Problem.
export async function send(method, path, body, headers = {}, signal = undefined) {
  let response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers: { "content-type": "application/json", "x-csrf": csrf.content, "x-user": user, ...headers },
      body: body === undefined || body instanceof Blob ? body : JSON.stringify(body),
      signal,
    });
  } catch {
    throw await offline();
  }
  if (response.ok) return response;
  const isOurs = isProblem(response.headers.get("content-type"));
  throw await refused(response.status, isOurs ? await response.json().catch(() => null) : null);
}

const isProblem = (type) => Boolean(type?.startsWith("application/problem+json"));

// A proxy answers in its own words and language (`problem` is null): only the status counts.
async function refused(status, problem) {
  const { t } = await import("./texts.js");
  if (status === 401 && document.body.dataset.page !== "sign_in") {
    if (stays()) return new Problem({ detail: t("page.signed_out") }, 401);
    location.assign("/sign-in");
    await new Promise(() => {}); // the browser leaves the page: the caller stops here
  }
  return new Problem(problem ?? { detail: t(status === 413 ? "page.too_large" : "page.error") }, status);
}

// A request whose answer was lost may have been carried out. Sent again, it has the same key, and makes nothing
// new: the server knows the keys of what makes something. After some time the same words are a new request.
const SAME_MS = 10 * 60_000;
const unanswered = new Map(); // what was sent -> { key, at }

export const newKey = () => crypto.getRandomValues(new Uint32Array(4)).join("-");

function keyOf(sent) {
  const before = unanswered.get(sent);
  if (before && Date.now() - before.at < SAME_MS) return before.key;
  const key = newKey();
  unanswered.set(sent, { key, at: Date.now() });
  return key;
}

async function sendOnce(path, body) {
  const sent = `${path} ${JSON.stringify(body)}`;
  try {
    const answer = await ask("POST", path, body, { "idempotency-key": keyOf(sent) });
    unanswered.delete(sent);
    return answer;
  } catch (error) {
    if (error.status > 0 && error.status < 500) unanswered.delete(sent);
    throw error;
  }
}

export async function ask(method, path, body, headers = {}) {
  const response = await send(method, path, body, headers);
  const isJson = response.headers.get("content-type")?.startsWith("application/json");
  try {
    return await (isJson ? response.json() : response.text());
  } catch {
    throw await offline();
  }
}

async function offline() {
  const { t } = await import("./texts.js");
  return new Problem({ detail: t("page.offline") }, 0);
}

// For what a page fetches by itself: the banner reports an unreachable server, and reconnecting fetches again.
export async function unlessUnreachable(request) {
  try {
    await request;
  } catch (error) {
    if (error.status !== 0) throw error;
  }
}

export const get = (path) => ask("GET", path);
export const post = (path, body = {}) => sendOnce(path, body);

// Saves the file that the API returns, under the name in its header.
export async function download(path, body = {}) {
  const response = await send("POST", path, body);
  const name = /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = name?.[1] ?? "file";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// Sends a file; `onProgress` gets the share that is sent, 0 to 1. `fetch` reports no upload progress.
export function upload(path, file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/api/v1${path}`);
    request.setRequestHeader("x-csrf", csrf.content);
    request.setRequestHeader("x-user", user);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded / event.total));
    request.addEventListener("load", async () => {
      if (request.status === 200 && request.response) return resolve(request.response);
      const isOurs = isProblem(request.getResponseHeader("content-type"));
      reject(await refused(request.status, isOurs ? request.response : null));
    });
    request.addEventListener("error", async () => reject(await offline()));
    request.send(file);
  });
}
