// Speaks with the assistant over HTTP, as docs/reference/http.md has it.

// Next to the page, wherever a proxy has put it.
const QUESTIONS = "./";
const ABOUT = "about";

// A path of its own: several assistants may share an origin behind one proxy.
const TOKEN_KEY = `va-token ${location.pathname}`;
let token = remembered();

/** A question, or anything else, that got no answer. */
export class Refusal extends Error {
  constructor(reason, message, { status = 0, retryAfter = 0 } = {}) {
    super(message);
    this.reason = reason;
    this.status = status;
    /** Seconds after which asking again makes sense; 0 where nothing is said. */
    this.retryAfter = retryAfter;
  }

  get wantsToken() {
    return this.status === 401;
  }
}

/** Whether a header can carry it: a typographic quote or an unseen space may come with a copy. */
export function canBeAToken(given) {
  return /^[\x21-\x7e]+$/.test(given);
}

export function useToken(given) {
  token = given;
}

/** Keep the token in use for this tab. */
export function keepToken() {
  try {
    sessionStorage.setItem(TOKEN_KEY, token);
  } catch {
    // A browser that keeps nothing: the token lasts as long as the page.
  }
}

function remembered() {
  try {
    return sessionStorage.getItem(TOKEN_KEY) ?? "";
  } catch {
    return "";
  }
}

/** What the assistant says of itself. */
export async function about() {
  const response = await send(ABOUT, { headers: headers("application/json") });
  if (!response.headers.get("Content-Type")?.startsWith("application/json")) {
    throw notAnAssistant();
  }
  return response.json();
}

/** The events of an answer as `[name, fields]`, of which the last is `done`. */
export async function* ask(question, history, signal) {
  const response = await send(QUESTIONS, {
    method: "POST",
    headers: { ...headers("text/event-stream"), "Content-Type": "application/json" },
    body: JSON.stringify({ question, history, stream: true }),
    signal,
  });
  if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
    throw notAnAssistant();
  }
  for await (const [name, fields] of events(response.body, signal)) {
    if (name === "error") {
      throw new Refusal(fields.error.reason, fields.error.message);
    }
    yield [name, fields];
    if (name === "done") {
      return;
    }
  }
  throw new Refusal("ConnectionLost", "The connection ended in the middle of the answer.");
}

// Not as `Authorization`: behind `kubectl proxy` that would be taken for the visitor's own
// credentials in the cluster, and refused.
function headers(accept) {
  return token ? { Accept: accept, "X-VA-Token": token } : { Accept: accept };
}

async function send(address, options) {
  let response;
  try {
    response = await fetch(address, { cache: "no-store", ...options });
  } catch (error) {
    throw failed(error, options.signal, "The assistant cannot be reached.");
  }
  if (!response.ok) {
    throw await refusal(response);
  }
  return response;
}

function notAnAssistant() {
  return new Refusal("NotAnAssistant", "What answered here is no assistant.");
}

async function refusal(response) {
  const about = { status: response.status, retryAfter: retryAfter(response) };
  try {
    const { error } = await response.json();
    return new Refusal(error.reason, error.message, about);
  } catch {
    const said = `The answer was HTTP ${response.status}, and not from the assistant.`;
    return new Refusal("NotAnAssistant", said, about);
  }
}

/** The header's seconds, or the seconds until its date. */
function retryAfter(response) {
  const said = response.headers.get("Retry-After") ?? "";
  const seconds = /^\d+$/.test(said) ? Number(said) : (Date.parse(said) - Date.now()) / 1000;
  return seconds > 0 ? Math.ceil(seconds) : 0;
}

/** Server-sent events: one line `event:` and one `data:` of JSON each, then an empty line. */
async function* events(body, signal) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let event = { name: "", data: "" };
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) {
        return;
      }
      // A carriage return at the end may be half of a line end.
      const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop();
      for (const line of lines) {
        if (line.startsWith("event:")) {
          event.name = line.slice(6).trim();
        } else if (line.startsWith("data:")) {
          event.data += line.slice(5);
        } else if (!line && event.data) {
          yield [event.name, JSON.parse(event.data)];
          event = { name: "", data: "" };
        }
      }
    }
  } catch (error) {
    throw failed(error, signal, "The connection broke in the middle of the answer.");
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** What a broken connection is, unless it was broken from here. */
function failed(error, signal, message) {
  return signal?.aborted || error instanceof Refusal ? error : new Refusal("ConnectionLost", message);
}
