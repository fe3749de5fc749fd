// Asking our own API. A problem's sentence becomes the error's message.

const csrf = document.querySelector('meta[name="csrf"]');

export class Problem extends Error {
  constructor(document, status) {
    super(document.detail);
    this.status = status;
    this.reasons = document.reasons ?? [];
    this.nextAt = document.next_at ?? null;
  }
}

export function proveWith(value) {
  csrf.content = value;
}

// The response itself, when it went well.
export async function send(method, path, body, headers = {}) {
  const { t } = await import("./texts.js");
  let response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers: { "content-type": "application/json", "x-csrf": csrf.content, ...headers },
      body: body === undefined || body instanceof Blob ? body : JSON.stringify(body),
    });
  } catch {
    throw new Problem({ detail: t("page.offline") }, 0);
  }
  if (response.ok) return response;
  if (response.status === 401 && document.body.dataset.page !== "sign_in") {
    location.assign("/sign-in");
  }
  let found = { detail: t("page.error") };
  if (response.headers.get("content-type")?.startsWith("application/problem+json")) {
    found = await response.json();
  }
  throw new Problem(found, response.status);
}

export async function ask(method, path, body, headers = {}) {
  const response = await send(method, path, body, headers);
  return response.headers.get("content-type")?.startsWith("application/json")
    ? response.json()
    : response.text();
}

export const get = (path) => ask("GET", path);
export const post = (path, body = {}) => ask("POST", path, body);
