// One question and its answer, as they stand on the page. Whatever comes from elsewhere
// is set as text and never as HTML.

import { plain, PlainPieces } from "./plain.js";

const NO_MODEL = "No model answers: these are the best-matching lines of the text.";
const NOT_FOUND = "No answer was found in the text.";
// What is said where the owner has no words of their own; it needs no note (crds/, `noAnswerText`).
const USUAL_NO_ANSWER = "I found no answer to that in the text.";
const NEAREST = "Lines that may help";
const WAS_CUT = "The answer reached its longest allowed length and was cut.";

export class Turn {
  question;
  answer = "";
  /** Whether the answer is whole, so that a later question may refer to it. */
  answered = false;
  element = make("li", { className: "turn" });
  #text;
  #written = new Text();
  #unwritten = "";
  #frame = 0;
  #foot = make("div", { className: "foot" });
  #pieces;
  #countdown = 0;

  constructor(question) {
    this.question = question;
    this.#text = make("div", { className: "answer", dir: "auto" });
    this.element.append(
      make("h2", { className: "question", dir: "auto" }, question),
      this.#text,
      this.#foot,
    );
  }

  /** Wait for an answer. */
  begin() {
    clearInterval(this.#countdown);
    this.answered = false;
    this.answer = "";
    this.#unwritten = "";
    this.#pieces = new PlainPieces();
    this.#written = new Text();
    this.#text.replaceChildren(this.#written);
    this.#text.setAttribute("aria-busy", "true");
    this.#foot.replaceChildren();
    this.element.className = "turn waiting";
  }

  /** Take a piece of the answer; gives back what is to be seen of it. */
  write(piece) {
    return this.#show(this.#pieces.add(piece));
  }

  /** The answer is whole; `done` is the last event. Gives back what is to be said of it. */
  finish(done) {
    this.#end("answered");
    this.answered = true;
    const notes = notesOf(done, this.answer);
    const sources = done.sources ?? [];
    this.#foot.append(...notes.map((note) => make("p", { className: "note" }, note)));
    if (sources.length) {
      this.#foot.append(footnotes(sources, "Sources", false));
      notes.push(sources.length === 1 ? "One source." : `${sources.length} sources.`);
    }
    const nearest = done.nearest ?? [];
    if (nearest.length) {
      const heading = { className: "note near", ariaHidden: "true" };
      this.#foot.append(make("p", heading, `${NEAREST}:`), footnotes(nearest, NEAREST, true));
      notes.push(nearest.length === 1 ? "One line may help." : `${nearest.length} lines may help.`);
    }
    return notes;
  }

  /** The asker has stopped it. */
  stop(again) {
    this.#end("stopped");
    this.#foot.append(
      make("p", { className: "note" }, "Stopped."),
      make("button", { type: "button", className: "quiet", onclick: again }, "Ask again"),
    );
  }

  /** There is no answer, or none to its end. */
  fail(refusal, again) {
    const cut = this.answer ? "This answer is not whole. " : "";
    this.#end("failed");
    const button = make("button", { type: "button", onclick: again }, "Try again");
    this.#foot.append(
      make("p", { className: "note error" }, `${cut}${plain(refusal.message)} · `,
        make("code", {}, plain(refusal.reason))),
      button,
    );
    this.#wait(button, refusal.retryAfter);
  }

  #show(seen) {
    this.answer += seen;
    this.#unwritten += seen;
    // The page is laid out once a frame, however many pieces come.
    this.#frame ||= requestAnimationFrame(() => this.#flush());
    return seen;
  }

  #flush() {
    this.#frame = 0;
    if (this.#unwritten) {
      this.element.classList.remove("waiting");
      this.#written.appendData(this.#unwritten);
      this.#unwritten = "";
    }
  }

  #end(how) {
    this.#show(this.#pieces.rest());
    cancelAnimationFrame(this.#frame);
    this.#flush();
    this.#text.removeAttribute("aria-busy");
    this.element.className = `turn ${how}`;
  }

  /** Hold the button back for as long as the assistant asks for. */
  #wait(button, seconds) {
    const ends = Date.now() + seconds * 1000;
    const tick = () => {
      const left = Math.ceil((ends - Date.now()) / 1000);
      button.disabled = left > 0;
      button.textContent = left > 0 ? `Try again in ${left} s` : "Try again";
      if (left <= 0) {
        clearInterval(this.#countdown);
      }
    };
    this.#countdown = setInterval(tick, 250);
    tick();
  }
}

/** What is unusual about an answer: lines of the text are not, they are what it promises. */
function notesOf({ finishReason, madeBy, fallback, model }, answer) {
  return [
    madeBy === "Passages" && fallback && !model && NO_MODEL,
    madeBy === "NoAnswer" && answer.trim() !== USUAL_NO_ANSWER && NOT_FOUND,
    fallback && model && `Answered by the stand-in ${plain(model)}.`,
    finishReason === "length" && WAS_CUT,
  ].filter(Boolean);
}

/** Lines of the texts, each to be opened and closed. */
function footnotes(sources, ariaLabel, open) {
  const list = make("ol", { className: "sources", ariaLabel });
  list.append(...sources.map(({ file, line, text }) => {
    const where = make("summary", {},
      make("span", { className: "file", dir: "auto" }, plain(file)), line ? `, line ${line}` : "");
    const said = make("blockquote", { dir: "auto" }, plain(text));
    return make("li", {}, make("details", { open }, where, said));
  }));
  return list;
}

export function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}
