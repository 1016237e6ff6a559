// The page: what is typed goes to the assistant, what comes back is shown and said.

import { about, ask, canBeAToken, keepToken, useToken } from "./asking.js";
import { plain } from "./plain.js";
import { Spoken } from "./spoken.js";
import { make, Turn } from "./turns.js";

// How much of the conversation goes with a question, so that "and where?" is understood.
const TURNS_TOLD = 6;
const CHARACTERS_TOLD = 16_000;
// What assistants take of question and conversation together.
const BYTES_TAKEN = 65_536;
// Files that are named one by one; more are counted, and opened on request.
const FILES_NAMED = 4;

const at = (id) => document.getElementById(id);
const question = at("question");
const spoken = new Spoken(at("spoken"), at("status"));

let turns = [];
/** What stops the question at work; null where there is none. */
let asking = null;
let known = null;
/** The question that a token is wanted for. */
let held = null;

function askTyped() {
  const text = question.value.trim();
  if (text && isFree()) {
    question.value = "";
    fit();
    askNew(text);
  }
  question.focus();
}

function askNew(text) {
  const turn = new Turn(text);
  turns.push(turn);
  at("turns").append(turn.element);
  at("welcome").hidden = true;
  at("new").hidden = false;
  run(turn);
  toEnd();
}

async function run(turn) {
  if (!isFree()) {
    return;
  }
  const again = () => {
    question.focus();
    run(turn);
  };
  asking = new AbortController();
  const { signal } = asking;
  working(true);
  spoken.clear();
  spoken.tell("Answering");
  turn.begin();
  try {
    for await (const [name, fields] of ask(turn.question, historyOf(turn), signal)) {
      if (name === "text") {
        spoken.add(turn.write(fields.text));
      } else if (name === "done") {
        spoken.end();
        spoken.tell(["Answered.", ...turn.finish(fields)].join(" "));
        notice(fields);
      }
    }
  } catch (error) {
    spoken.end();
    if (signal.aborted) {
      turn.stop(again);
      spoken.tell("Stopped.");
    } else {
      turn.fail(error, again);
      spoken.tell(`No answer. ${error.message}`);
      if (error.wantsToken) {
        held = turn;
        login();
      }
    }
  } finally {
    asking = null;
    working(false);
  }
}

function isFree() {
  if (asking) {
    spoken.tell("One question at a time. Esc stops the one at work.");
  }
  return !asking;
}

/** What was said before a question, the oldest first; only what was answered to its end. */
function historyOf(turn) {
  const history = [];
  let room = CHARACTERS_TOLD;
  let bytes = BYTES_TAKEN - bytesOf(turn.question);
  const before = turns.slice(0, turns.indexOf(turn)).filter((earlier) => earlier.answered);
  for (const { question: asked, answer } of before.slice(-TURNS_TOLD).reverse()) {
    room -= asked.length + answer.length;
    bytes -= bytesOf(asked) + bytesOf(answer);
    if (room < 0 || bytes < 0) {
      break;
    }
    history.unshift({ role: "user", text: asked }, { role: "assistant", text: answer });
  }
  return history;
}

function bytesOf(text) {
  return new TextEncoder().encode(text).length;
}

function working(is) {
  // The button that goes away must not take the focus with it.
  const had = [at("send"), at("stop")].includes(document.activeElement);
  at("stop").hidden = !is;
  at("send").hidden = is;
  if (had) {
    question.focus();
  }
}

function startAnew() {
  asking?.abort();
  turns = [];
  held = null;
  at("turns").replaceChildren();
  spoken.clear();
  spoken.tell("A new conversation.");
  at("welcome").hidden = false;
  at("new").hidden = true;
  question.focus();
}

/** Look again at what the assistant is, where an answer shows that it has changed. */
function notice({ revision }) {
  if (revision !== known?.revision) {
    introduce().catch(() => {});
  }
}

async function introduce() {
  known = await about();
  const name = plain(known.name) || "Assistant";
  document.title = name;
  at("name").textContent = name;
  at("about").replaceChildren(filesOf(known.files),
    make("p", { className: "made" }, `${plain(known.model)}, revision ${plain(known.revision)}`));
  at("examples").replaceChildren(...known.examples.map((example) => {
    const text = plain(example);
    const button = { type: "button", className: "quiet", dir: "auto", onclick: () => askNew(text) };
    return make("li", {}, make("button", button, text));
  }));
}

function filesOf(files) {
  const named = files.map((file) => make("li", { dir: "auto" }, plain(file)));
  const list = make("ul", { className: "files", ariaLabel: "Files" }, ...named);
  if (files.length <= FILES_NAMED) {
    return make("div", { className: "from" }, "Answers from ", list);
  }
  const count = make("summary", {}, `Answers from ${files.length} files`);
  return make("details", { className: "from" }, count, list);
}

function login() {
  at("welcome").hidden = true;
  at("login").hidden = false;
  at("token").value = "";
  at("token").focus();
}

async function useTyped() {
  const typed = at("token").value.trim();
  if (!canBeAToken(typed)) {
    loginAgain("A token has letters, digits and signs of ASCII alone, and no spaces");
    return;
  }
  useToken(typed);
  try {
    await introduce();
  } catch (error) {
    loginAgain(error.wantsToken ? "The token was refused" : error.message);
    return;
  }
  keepToken();
  at("login").hidden = true;
  at("welcome").hidden = turns.length > 0;
  question.focus();
  if (held) {
    run(held);
    held = null;
  }
}

function loginAgain(why) {
  at("login-title").textContent = why;
  spoken.tell(why);
  login();
}

/** Keep the end of a growing answer in sight, for those who are at the end. */
let follows = true;
function toEnd() {
  scrollTo({ top: document.documentElement.scrollHeight });
}
new ResizeObserver(() => {
  if (follows) {
    toEnd();
  }
}).observe(at("turns"));
addEventListener("scroll", () => {
  const { scrollHeight, scrollTop, clientHeight } = document.documentElement;
  follows = scrollHeight - scrollTop - clientHeight < 80;
}, { passive: true });

/** Let the field grow with what is typed. */
function fit() {
  question.style.height = "auto";
  const border = question.offsetHeight - question.clientHeight;
  question.style.height = `${question.scrollHeight + border}px`;
}

at("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  askTyped();
});
at("login").addEventListener("submit", (event) => {
  event.preventDefault();
  useTyped();
});
question.addEventListener("input", fit);
question.addEventListener("keydown", (event) => {
  // Enter that ends the spelling of a word, as in Japanese, is not meant for us.
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    askTyped();
  }
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing) {
    asking?.abort();
  }
});
at("stop").addEventListener("click", () => asking?.abort());
at("new").addEventListener("click", startAnew);

at("ask").hidden = false;
at("welcome").hidden = false;
question.focus();
introduce().catch((error) => {
  if (error.wantsToken) {
    login();
  } else {
    at("about").replaceChildren(make("p", { className: "note error" }, plain(error.message)));
    spoken.tell(error.message);
  }
});
